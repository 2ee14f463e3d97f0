"""Events that read like prose: `a_user_event(version=3)`. All are valid; `changed` makes them otherwise."""

import json
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

FIRST = {"updated": 2, "ownership_transferred": 2}
"""The first version that an event of this kind can have, where it is another than 1."""
TIME = "2026-11-22T12:00:00Z"


@dataclass(frozen=True)
class ARecord:
    """A Kafka record in a test."""

    value: bytes | None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    topic: str = "users"
    partition: int = 0
    offset: int = 0
    timestamp: int = 1_700_000_000_000

    def at(self, offset: int, partition: int = 0) -> "ARecord":
        return replace(self, offset=offset, partition=partition)


def an_event(type_: str, data: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    """A CloudEvent in structured mode, as a dict."""
    event = {"specversion": "1.0", "id": str(uuid4()), "source": "/tests", "type": type_, "time": TIME, "data": data}
    return event | attributes


def a_user_event(
    kind: str = "created",
    id: UUID | None = None,  # noqa: A002
    version: Any = ...,
    **data: Any,
) -> dict[str, Any]:
    """`user.created`, `.updated` or `.deleted`; `data` adds to what such an event must have."""
    entity_id = id or uuid4()
    must: dict[str, Any] = {"id": str(entity_id), "version": FIRST.get(kind, 1) if version is ... else version}
    if kind == "created":
        must |= {"email": f"{entity_id.hex}@example.com", "name": "Ada", "created_at": TIME, "updated_at": TIME}
    return an_event(f"user.{kind}", must | _plain(data))


def a_document_event(
    kind: str = "created",
    id: UUID | None = None,  # noqa: A002
    version: Any = ...,
    owner: UUID | None = None,
    **data: Any,
) -> dict[str, Any]:
    """`document.created`, `.updated`, `.ownership_transferred` or `.deleted`."""
    must: dict[str, Any] = {"id": str(id or uuid4()), "version": FIRST.get(kind, 1) if version is ... else version}
    if kind == "created":
        must |= {"title": "Notes", "user_id": str(owner or uuid4()), "created_at": TIME, "updated_at": TIME}
    return an_event(f"document.{kind}", must | _plain(data))


def a_record(event: dict[str, Any], **changed: Any) -> ARecord:
    """The event as a record in structured mode, keyed by its entity's id."""
    topic = event["type"].partition(".")[0] + "s"
    record = ARecord(json.dumps(event).encode(), str(event["data"]["id"]).encode(), topic=topic)
    return replace(record, **changed)


def a_binary_record(event: dict[str, Any], **changed: Any) -> ARecord:
    """The event as a record in binary mode."""
    headers = [(f"ce_{k}", str(v).encode()) for k, v in event.items() if k not in ("data", "datacontenttype")]
    headers.append(("content-type", b"application/json"))
    record = a_record(event)
    record = replace(record, value=json.dumps(event["data"]).encode(), headers=tuple(headers))
    return replace(record, **changed)


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    return {k: str(v) if isinstance(v, UUID) else v for k, v in data.items()}
