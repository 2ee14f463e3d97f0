"""How a CloudEvent becomes a record: structured or binary mode, in the spellings that publishers use."""

import base64
import json
import random
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class DemoEvent:
    """A CloudEvent about one entity; `attributes` hold its `data`, too."""

    entity: str
    id: UUID
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DemoRecord:
    """A record to publish, and what must become of it."""

    topic: str
    key: bytes
    value: bytes | None
    headers: Headers = ()
    reason: str | None = None
    """The reason of the dead letter it must become; None: it is good."""
    ignored: bool = False

    def bad(self, reason: str, **changed: Any) -> "DemoRecord":
        """This record made bad: it must become a dead letter with `reason`."""
        return replace(self, reason=reason, **changed)


CONTENT_TYPES: tuple[Headers, ...] = (
    (("content-type", b"application/cloudevents+json"),),
    (("Content-Type", b"Application/CloudEvents+JSON; charset=UTF-8"),),
    (("content-type", b"application/json"),),
    (),
)
"""Headers of structured mode, as clients spell them."""


def record_of(event: DemoEvent, rng: random.Random) -> DemoRecord:
    """The event in one mode or the other."""
    if rng.random() < 0.4:
        return binary(event)
    return structured(event, rng.choice(CONTENT_TYPES), in_base64=rng.random() < 0.1)


def structured(event: DemoEvent, headers: Headers = (), *, in_base64: bool = False) -> DemoRecord:
    """The value is the whole event; `in_base64`: with `data_base64` in place of `data`."""
    attributes = dict(event.attributes)
    if in_base64 and "data" in attributes:
        attributes["data_base64"] = base64.b64encode(_json(attributes.pop("data"))).decode()
    return _record(event, _json(attributes), headers)


def binary(event: DemoEvent) -> DemoRecord:
    """The attributes are headers, the value is the data."""
    attributes = dict(event.attributes)
    value = _json(attributes.pop("data")) if "data" in attributes else b""
    headers = tuple((f"ce_{name}", str(text).encode()) for name, text in attributes.items())
    return _record(event, value, (*headers, ("content-type", b"application/json")))


def _record(event: DemoEvent, value: bytes, headers: Headers) -> DemoRecord:
    return DemoRecord(f"{event.entity}s", str(event.id).encode(), value, headers)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
