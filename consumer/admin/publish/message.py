"""An event as a record in either content mode, keyed by its entity's id."""

import base64
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

import msgspec

from neon_projector.consumer.admin.publish.lines import STRUCTURED
from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.headers import CE_PREFIX, read_headers
from neon_projector.projections.contract.record import Record

_DATA = frozenset({"data", "data_base64", "datacontenttype"})
"""What is no attribute of the event, or is always the same: what is sent is JSON."""
_NULL = msgspec.Raw(b"null")
_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])
"""Takes a JSON text apart without reading its parts."""


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
    """The record's event in this mode. What the data holds is sent byte for byte, so no number changes on the way.

    A structured one that is too deep to be taken apart (about a thousand levels) stays as it is: both modes are read.
    """
    key, headers, value = str(event.id).encode(), read_headers(record), record.value or b""
    attributes = {
        name.removeprefix(CE_PREFIX): text.decode() for name, text in headers.items() if name.startswith(CE_PREFIX)
    }
    binary = bool(attributes) and not headers.get("content-type", b"").lower().startswith(b"application/cloudevents")
    if mode is Mode.STRUCTURED:
        return Message(topic, key, _one_text(attributes, value) if binary else value, [*STRUCTURED])
    if not binary:
        try:
            attributes, value = _taken_apart(value)
        except RecursionError:
            return Message(topic, key, value, [*STRUCTURED])
    named = [(f"{CE_PREFIX}{name}", text.encode()) for name, text in attributes.items()]
    return Message(topic, key, value, [*named, ("content-type", b"application/json")])


def _one_text(attributes: Mapping[str, str], data: bytes) -> bytes:
    """The event as one JSON text."""
    own = {name: text for name, text in attributes.items() if name not in _DATA}
    written = json.dumps(own | {"datacontenttype": "application/json"}, ensure_ascii=False).encode()
    return b'%b, "data": %b}' % (written.removesuffix(b"}"), data)


def _taken_apart(value: bytes) -> tuple[dict[str, str], bytes]:
    """The attributes as text, in CloudEvents' canonical form of each type, and the data.

    One whose name has a capital is left out: CloudEvents has none, and a header's name is read without regard to that,
    so `Type` would be read as the `type`.
    """
    parts = _PARTS.decode(value)
    encoded, data = parts.get("data_base64", _NULL), parts.get("data", _NULL)
    own = {name: part for name, part in parts.items() if name not in _DATA and name == name.lower()}
    texts = {name: _text(part) for name, part in own.items() if part != _NULL}
    return texts, bytes(data) if encoded == _NULL else base64.b64decode(_text(encoded))


def _text(part: msgspec.Raw) -> str:
    return msgspec.json.decode(part, type=str) if bytes(part).startswith(b'"') else bytes(part).decode()
