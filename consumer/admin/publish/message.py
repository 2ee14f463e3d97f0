"""An event as a record in either content mode, keyed by its entity's id."""

import base64
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from neon_projector.consumer.admin.publish.lines import STRUCTURED
from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.headers import CE_PREFIX, read_headers
from neon_projector.projections.contract.record import Record


class Mode(StrEnum):
    """CloudEvents' content modes in Kafka."""

    STRUCTURED = "structured"
    BINARY = "binary"


class Message(NamedTuple):
    """What is sent."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def message_of(record: Record, event: Event, topic: str, mode: Mode) -> Message:
    """The record's event in this mode; the value stays as it is where the record has that mode already."""
    key, headers, value = str(event.id).encode(), read_headers(record), record.value or b""
    attributes = {
        name.removeprefix(CE_PREFIX): text.decode() for name, text in headers.items() if name.startswith(CE_PREFIX)
    }
    binary = bool(attributes) and not headers.get("content-type", b"").lower().startswith(b"application/cloudevents")
    if mode is Mode.STRUCTURED:
        if binary:
            value = _written({**attributes, "datacontenttype": "application/json", "data": json.loads(value)})
        return Message(topic, key, value, [*STRUCTURED])
    if not binary:
        attributes = json.loads(value)
        value = _data(attributes)
    named = [(f"{CE_PREFIX}{name}", _header(text)) for name, text in attributes.items() if text is not None]
    return Message(topic, key, value, [*named, ("content-type", b"application/json")])


def _data(attributes: dict[str, Any]) -> bytes:
    """Take the data out, as bytes."""
    attributes.pop("datacontenttype", None)
    encoded, data = attributes.pop("data_base64", None), attributes.pop("data", None)
    return base64.b64decode(encoded) if encoded is not None else _written(data)


def _written(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _header(value: Any) -> bytes:
    """An attribute as text: CloudEvents' canonical form of each type."""
    return value.encode() if isinstance(value, str) else json.dumps(value, ensure_ascii=False).encode()
