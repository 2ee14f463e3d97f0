"""Who sent a record, what, and of which entity: read without decoding it, also where it is no event."""

import re
from typing import Any, NamedTuple

import msgspec

from neon_projector.projections.contract.headers import CE_PREFIX
from neon_projector.projections.contract.record import Record
from neon_projector.projections.contract.words.kinds import uuid_or_none

_LOOKED_AT = 64 * 1024
"""Bytes of a value that is no JSON in which its source is looked for."""
_ID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""As it is usually written: found in a tenth of the time."""
_DATA = re.compile(rb'"data(?:_base64)?"\s*:')
_SOURCE, _TYPE = (re.compile(rb'"%s"\s*:\s*"([^"\\]{1,1000})"' % name) for name in (b"source", b"type"))


class Sender(NamedTuple):
    """`source` and `type` as the record states them; `id` is the entity's, in small letters with dashes: the key, or in
    the data. None: it can't be read."""

    source: str | None
    type: str | None
    id: str | None


class _Envelope(msgspec.Struct, gc=False):
    source: str
    type: str
    data: msgspec.Raw = msgspec.Raw()


class _Data(msgspec.Struct, gc=False):
    id: str


_read_envelope = msgspec.json.Decoder(_Envelope).decode
_read_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_read_data = msgspec.json.Decoder(_Data).decode
_read_text = msgspec.json.Decoder(str).decode


def sender_of(record: Record) -> Sender:
    """What `record` says of itself. A source in it is a statement: nobody has checked who sent it."""
    value = record.value or b""
    source, kind, data = _of_headers(record, value) or _of_value(value)
    return Sender(source, kind, _id_of(record.key) or _id_in(data))


def _of_headers(record: Record, value: bytes) -> tuple[str | None, str | None, Any] | None:
    """Of an event in binary mode; None where it is none."""
    headers = {name.lower(): text for name, text in record.headers if text is not None} if record.headers else {}
    media_type = headers.get("content-type", b"").strip().lower()
    if media_type.startswith(b"application/cloudevents") or not any(name.startswith(CE_PREFIX) for name in headers):
        return None
    source, kind = (headers.get(CE_PREFIX + name, b"").decode("utf-8", "replace") for name in ("source", "type"))
    return source or None, kind or None, value


def _of_value(value: bytes) -> tuple[str | None, str | None, Any]:
    try:
        envelope = _read_envelope(value)
    except msgspec.ValidationError:  # JSON, but not of this form
        return _of_members(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return *_of_broken(value), b""
    return envelope.source or None, envelope.type or None, envelope.data


def _of_members(value: bytes) -> tuple[str | None, str | None, Any]:
    try:
        members = _read_members(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None, None, b""
    return _text(members.get("source")), _text(members.get("type")), members.get("data", b"")


def _of_broken(value: bytes) -> tuple[str | None, str | None]:
    """What stands before the data: within it, `source` may be a field of anything."""
    begin = value[:_LOOKED_AT]
    if (data := _DATA.search(begin)) is not None:
        begin = begin[: data.start()]
    found = (pattern.search(begin) for pattern in (_SOURCE, _TYPE))
    source, kind = (one and one[1].decode("utf-8", "replace") for one in found)
    return source, kind


def _text(raw: msgspec.Raw | None) -> str | None:
    try:
        return _read_text(raw) or None if raw is not None else None
    except msgspec.MsgspecError:
        return None


def _id_of(key: bytes | None) -> str | None:
    if not key:
        return None
    return key.decode() if _ID.fullmatch(key) else _id(key.decode("utf-8", "replace"))


def _id_in(data: Any) -> str | None:
    try:
        return _id(_read_data(data).id)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _id(text: str) -> str | None:
    one = uuid_or_none(text)
    return None if one is None else str(one)
