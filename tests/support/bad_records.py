"""Records that are bad, one slip of a publisher each, with the reason by which each must be rejected."""

import base64
import json
from typing import Any, NamedTuple
from uuid import UUID

from neon_projector.projections.contract.outcome import Reason
from tests.support import factories
from tests.support.factories import ARecord, a_binary_record, a_record

ID = UUID("11111111-1111-4111-8111-111111111111")
OTHER = UUID("22222222-2222-4222-8222-222222222222")
_SAME = {"id": "event-1"}
"""The golden vectors are made of these records, so they are the same each time."""


class BadRecord(NamedTuple):
    """A record, what is bad about it, and by which reason it is rejected."""

    name: str
    record: ARecord
    reason: Reason


def a_user_event(kind: str = "created", id: UUID = ID, version: Any = ..., **data: Any) -> dict[str, Any]:  # noqa: A002
    """As `factories.a_user_event`, and the same each time."""
    return factories.a_user_event(kind, id, version, **data) | _SAME


def a_document_event(kind: str = "created", id: UUID = ID, version: Any = ..., **data: Any) -> dict[str, Any]:  # noqa: A002
    """As `factories.a_document_event`, and the same each time."""
    return factories.a_document_event(kind, id, version, OTHER, **data) | _SAME


def an_event(type_: str, data: Any) -> dict[str, Any]:
    """As `factories.an_event`, and the same each time."""
    return factories.an_event(type_, data) | _SAME


def _raw(value: bytes | None, *headers: tuple[str, bytes], key: bytes | None = None) -> ARecord:
    return ARecord(value, key, headers)


def _user(name: str, /, reason: Reason = Reason.INVALID_DATA, kind: str = "created", **data: Any) -> BadRecord:
    return BadRecord(f"user_{kind}: {name}", a_record(a_user_event(kind, ID, **data)), reason)


def _document(name: str, /, reason: Reason = Reason.INVALID_DATA, kind: str = "created", **data: Any) -> BadRecord:
    return BadRecord(f"document_{kind}: {name}", a_record(a_document_event(kind, ID, **data)), reason)


def _without(event: dict[str, Any], *names: str) -> ARecord:
    record = a_record(event)
    left = {k: v for k, v in event.items() if k not in names}
    left["data"] = {k: v for k, v in event["data"].items() if k not in names}
    return ARecord(json.dumps(left).encode(), record.key, topic=record.topic)


def _lacking(name: str, kind: str = "created") -> list[BadRecord]:
    user, document = a_user_event(kind, ID), a_document_event(kind, ID)
    return [
        BadRecord(f"{event['type']}: no {name}", _without(event, name), Reason.INVALID_DATA)
        for event in (user, document)
        if name in event["data"]
    ]


def _envelope(name: str, reason: Reason = Reason.INVALID_ENVELOPE, **attributes: Any) -> BadRecord:
    event = a_user_event(id=ID) | attributes
    return BadRecord(f"envelope: {name}", ARecord(json.dumps(event).encode(), str(ID).encode()), reason)


def _header(name: str, header: str, value: bytes | None, reason: Reason) -> BadRecord:
    record = a_binary_record(a_user_event(id=ID))
    headers = [pair for pair in record.headers if pair[0] != header]
    if value is not None:
        headers.append((header, value))
    return BadRecord(f"binary: {name}", ARecord(record.value, record.key, tuple(headers)), reason)


def _data(name: str, data: Any, reason: Reason = Reason.INVALID_DATA) -> BadRecord:
    return BadRecord(f"data: {name}", ARecord(json.dumps(an_event("user.created", data)).encode()), reason)


def _deep(depth: int) -> ARecord:
    record = a_record(a_user_event(id=ID, note="deep"))
    return ARecord((record.value or b"").replace(b'"deep"', b"[" * depth + b"]" * depth), record.key)


_VALID = json.dumps(a_user_event(id=ID)).encode()
_BASE64 = {k: v for k, v in a_user_event(id=ID).items() if k != "data"}

_VALUES = [
    BadRecord("value: too large", a_record(a_user_event(id=ID, note="x" * 1024 * 1024)), Reason.TOO_LARGE),
    BadRecord("value: Confluent's framing", _raw(b"\0\0\0\0\7" + _VALID), Reason.SCHEMA_REGISTRY_FRAMING),
    BadRecord("value: framing and nothing else", _raw(b"\0\0\0\0\7"), Reason.SCHEMA_REGISTRY_FRAMING),
    BadRecord("value: framing by UUID", _raw(b"\1" + ID.bytes + _VALID), Reason.SCHEMA_REGISTRY_FRAMING),
    BadRecord("value: empty", _raw(b""), Reason.INVALID_JSON),
    BadRecord("value: a word", _raw(b"hello"), Reason.INVALID_JSON),
    BadRecord("value: cut off", _raw(_VALID[:-9]), Reason.INVALID_JSON),
    BadRecord("value: something behind the end", _raw(_VALID + b"}"), Reason.INVALID_JSON),
    BadRecord("value: NaN", _raw(_VALID.replace(b'"version": 1', b'"version": NaN')), Reason.INVALID_JSON),
    BadRecord("value: byte order mark", _raw(b"\xef\xbb\xbf" + _VALID), Reason.INVALID_JSON),
    BadRecord("value: Latin-1", _raw(_VALID.replace(b"Ada", b"Ad\xe4")), Reason.INVALID_JSON),
    BadRecord("value: UTF-16", _raw(_VALID.decode().encode("utf-16")), Reason.INVALID_JSON),
    BadRecord("value: too deep", _raw(b"[" * 100_000), Reason.INVALID_JSON),
    *(
        BadRecord(f"value: an unknown field {depth} deep", _deep(depth), Reason.INVALID_JSON)
        for depth in (999, 1_000, 1_022, 20_000)
    ),
    BadRecord("value: a JSON list", _raw(b"[]"), Reason.INVALID_ENVELOPE),
    BadRecord("value: JSON null", _raw(b"null"), Reason.INVALID_ENVELOPE),
    BadRecord("value: no CloudEvent", _raw(b'{"id": 1}'), Reason.INVALID_ENVELOPE),
    BadRecord("text: lone high surrogate", _raw(_VALID.replace(b"Ada", rb"\ud800")), Reason.INVALID_TEXT),
    BadRecord("text: lone low surrogate", _raw(_VALID.replace(b"Ada", rb"\udc00")), Reason.INVALID_TEXT),
    BadRecord("text: encoded surrogate", _raw(_VALID.replace(b"Ada", b"\xed\xa0\x80")), Reason.INVALID_TEXT),
    BadRecord("text: NUL", _raw(_VALID.replace(b"Ada", rb"A\u0000a")), Reason.INVALID_TEXT),
    BadRecord(
        "text: NUL in a name", _raw(_VALID.replace(b'"version"', rb'"\u0000": [], "version"')), Reason.INVALID_TEXT
    ),
    BadRecord("text: NUL in a list", _raw(_VALID.replace(b'"Ada"', rb'[["\u0000"]]')), Reason.INVALID_TEXT),
    BadRecord("content-type: Avro", _raw(_VALID, ("content-type", b"application/avro")), Reason.UNSUPPORTED_FORMAT),
    BadRecord(
        "content-type: events in Avro",
        _raw(_VALID, ("content-type", b"application/cloudevents+avro")),
        Reason.UNSUPPORTED_FORMAT,
    ),
    BadRecord(
        "content-type: a batch",
        _raw(b"[" + _VALID + b"]", ("content-type", b"application/cloudevents-batch+json")),
        Reason.UNSUPPORTED_FORMAT,
    ),
    BadRecord("content-type: not UTF-8", _raw(_VALID, ("content-type", b"\xff")), Reason.INVALID_TEXT),
]

_ENVELOPES = [
    *(
        BadRecord(f"envelope: no {name}", _without(a_user_event(id=ID), name), Reason.INVALID_ENVELOPE)
        for name in ("specversion", "source", "type")
    ),
    _envelope("id is empty", id=""),
    _envelope("id is a number", id=7),
    _envelope("source is a list", source=[]),
    _envelope("specversion 0.3", specversion="0.3"),
    _envelope("specversion as a number", specversion=1.0),
    _envelope("subject is a number", subject=7),
    _envelope("time is a number", time=1_700_000_000),
    _envelope("time without a zone", time="2026-11-22T12:00:00"),
    _envelope("time in words", time="yesterday"),
    _envelope("time on 30 February", time="2026-02-30T12:00:00Z"),
    _envelope("time with an absurd zone", time="2026-11-22T12:00:00+99:00"),
    _envelope("both data and data_base64", data_base64="e30="),
    _envelope("data is XML", Reason.UNSUPPORTED_FORMAT, datacontenttype="application/xml", data="<user/>"),
    _envelope("datacontenttype is a number", datacontenttype=7),
    _envelope("subject is another entity", Reason.SUBJECT_MISMATCH, subject=str(OTHER)),
    _envelope("subject is no UUID", Reason.SUBJECT_MISMATCH, subject="users/1"),
    _envelope("subject is empty", Reason.SUBJECT_MISMATCH, subject=""),
    BadRecord("key: another entity", a_record(a_user_event(id=ID), key=str(OTHER).encode()), Reason.KEY_MISMATCH),
    BadRecord("key: not UTF-8", a_record(a_user_event(id=ID), key=b"\xff\xfe"), Reason.KEY_MISMATCH),
    BadRecord("key: empty", a_record(a_user_event(id=ID), key=b""), Reason.KEY_MISMATCH),
    _header("no specversion", "ce_specversion", None, Reason.INVALID_ENVELOPE),
    _header("no id", "ce_id", None, Reason.INVALID_ENVELOPE),
    _header("empty source", "ce_source", b"", Reason.INVALID_ENVELOPE),
    _header("source not UTF-8", "ce_source", b"\xff", Reason.INVALID_TEXT),
    _header("source with a NUL", "ce_source", b"a\0b", Reason.INVALID_TEXT),
    _header("extension not UTF-8", "ce_other", b"\xff", Reason.INVALID_TEXT),
    _header("data is Avro", "content-type", b"application/avro", Reason.UNSUPPORTED_FORMAT),
    _header("time in words", "ce_time", b"now", Reason.INVALID_ENVELOPE),
    _header("subject is another entity", "ce_subject", str(OTHER).encode(), Reason.SUBJECT_MISMATCH),
    BadRecord("binary: no value", a_binary_record(a_user_event(id=ID), value=None), Reason.INVALID_DATA),
    BadRecord("binary: value cut off", a_binary_record(a_user_event(id=ID), value=b'{"id'), Reason.INVALID_JSON),
    BadRecord("base64: not Base64", _raw(json.dumps(_BASE64 | {"data_base64": "?"}).encode()), Reason.INVALID_ENVELOPE),
    BadRecord("base64: a number", _raw(json.dumps(_BASE64 | {"data_base64": 7}).encode()), Reason.INVALID_ENVELOPE),
    BadRecord(
        "base64: not JSON inside",
        _raw(json.dumps(_BASE64 | {"data_base64": base64.b64encode(b"<user/>").decode()}).encode()),
        Reason.INVALID_JSON,
    ),
]

_FIELDS = [
    _data("missing", None),
    _data("a list", []),
    _data("a string", "{}"),
    _data("empty", {}),
    _data("no id", {"version": 1, "email": "ada@example.com", "name": "Ada"}),
    *_lacking("version"),
    *_lacking("version", "deleted"),
    *_lacking("email"),
    *_lacking("name"),
    *_lacking("title"),
    *_lacking("user_id"),
    BadRecord("user.created: no time at all", _without(a_user_event(id=ID), "time", "created_at"), Reason.MISSING_TIME),
    BadRecord(
        "user.updated: no time at all", _without(a_user_event("updated", ID, name="Bob"), "time"), Reason.MISSING_TIME
    ),
    BadRecord("id: no UUID", a_record(an_event("user.deleted", {"id": "7", "version": 1})), Reason.INVALID_DATA),
    BadRecord("id: a number", a_record(an_event("user.deleted", {"id": 7, "version": 1})), Reason.INVALID_DATA),
    *(
        _user(f"version {version!r}", kind="deleted", version=version)
        for version in (0, -1, 2**63, 2**64, "3", 1.0, True, None, [1])
    ),
    *(
        _user(f"email {name}", email=email)
        for name, email in {
            "without @": "ada",
            "null": None,
            "number": 7,
            "empty": "",
            "two @": "a@b@example.com",
            "without domain": "ada@",
            "too long": "a" * 310 + "@example.com",
            "domain without a dot": "ada@localhost",
            "two addresses": "ada@example.com, bob@example.com",
        }.items()
    ),
    _user("name empty", name=""),
    _user("name of 101 characters", name="x" * 101),
    _user("name null", name=None),
    _user("name a number", name=5),
    *(_user(f"is_active {flag!r}", is_active=flag) for flag in ("yes", 1, "true", None)),
    *(
        _user(f"created_at {time!r}", created_at=time)
        for time in (
            1_700_000_000,
            None,
            "2026-11-22",
            "2026-11-22T12:00:00",
            "2026-13-22T12:00:00Z",
            "2026-11-22T24:00:00Z",
            "2026-11-22T25:00:00Z",
            "2026-11-22T23:59:60Z",
            "2026-11-22T12:00:00,5Z",
            "2026-11-22T12:00:00Z\n",
            "2026-11-22T12:00:00+01:75",
            "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:59-23:00",
            "２026-11-22T12:00:00Z",
        )
    ),
    _user("updated_at a number", updated_at=1.5),
    _user("nothing to change", kind="updated", version=2),
    _user("only unknown fields", kind="updated", version=2, nickname="Bo"),
    _user("null for a name", kind="updated", version=2, name=None),
    _user("null for an email", kind="updated", version=2, email=None),
    _document("title empty", title=""),
    _document("title of 256 characters", title="x" * 256),
    _document("title null", title=None),
    _document("content a number", content=7),
    _document("user_id no UUID", user_id="ada"),
    _document("user_id null", user_id=None),
    _document("nothing to change", kind="updated", version=2),
    _document("null for a title", kind="updated", version=2, title=None),
    _user("a part of version 1", kind="updated", version=1, name="x"),
    _document("a transfer of version 1", kind="ownership_transferred", version=1, from_user_id=ID, to_user_id=OTHER),
    _document("no from_user_id", kind="ownership_transferred", version=2, to_user_id=OTHER),
    _document("no to_user_id", kind="ownership_transferred", version=2, from_user_id=OTHER),
    _document("to_user_id null", kind="ownership_transferred", version=2, from_user_id=OTHER, to_user_id=None),
]

BAD_RECORDS: list[BadRecord] = [*_VALUES, *_ENVELOPES, *_FIELDS]
