"""What publishers often send by mistake: other formats, encodings, bindings, and what libraries make of an event."""

import gzip
import json
from typing import Any

from neon_projector.projections.contract.outcome import Reason
from tests.support.bad_records import BAD_RECORDS, ID, OTHER, BadRecord, a_document_event, a_user_event, an_event
from tests.support.factories import ARecord, a_binary_record, a_record

_EVENT = a_user_event()
_TEXT = json.dumps(_EVENT)
_DOCUMENT = a_document_event()
_DATA = _EVENT["data"]
JSON, ENVELOPE, DATA = Reason.INVALID_JSON, Reason.INVALID_ENVELOPE, Reason.INVALID_DATA
KEY = str(ID).encode()


def _value(name: str, value: bytes | str, reason: Reason, *headers: tuple[str, bytes]) -> BadRecord:
    return BadRecord(name, ARecord(value if isinstance(value, bytes) else value.encode(), KEY, headers), reason)


def _user(name: str, /, kind: str = "created", reason: Reason = DATA, **data: Any) -> BadRecord:
    return BadRecord(name, a_record(a_user_event(kind, **data)), reason)


def _keyed(name: str, key: bytes, event: dict[str, Any] = _EVENT) -> BadRecord:
    return BadRecord(f"key: {name}", a_record(event, key=key), Reason.KEY_MISMATCH)


def _subject(name: str, subject: str) -> BadRecord:
    return BadRecord(f"subject: {name}", a_record(_EVENT | {"subject": subject}), Reason.SUBJECT_MISMATCH)


def _binary(name: str, reason: Reason, replaced: dict[str, bytes | None], value: bytes | None = None) -> BadRecord:
    record = a_binary_record(_EVENT)
    headers = dict(record.headers) | replaced
    kept = tuple((k, v) for k, v in headers.items() if v is not None)
    return BadRecord(f"binary: {name}", ARecord(value or record.value, KEY, kept), reason)


_OTHER_PREFIX = tuple((n.replace("ce_", "ce-"), v) for n, v in a_binary_record(_EVENT).headers if v is not None)

MISTAKEN_RECORDS = [
    _value("compressed: gzip", gzip.compress(_TEXT.encode(), mtime=0)[:64], JSON),
    _value("compressed: zstd", b"\x28\xb5\x2f\xfd" + bytes(20), JSON),
    _value("encoding: UTF-16 without a mark", _TEXT.encode("utf-16-le"), JSON),
    _value("encoding: UTF-16, the other way round", _TEXT.encode("utf-16-be"), JSON),
    _value("encoding: Windows-1252 behind other letters", '{"n": "Grü'.encode() + b'\xdfe"}', JSON),
    _value("JSON: spaces only", "  \n", JSON),
    _value("JSON: XML", "<user/>", JSON),
    _value("JSON: as Python prints it", str(_EVENT), JSON),
    _value("JSON: None", _TEXT.replace('"Ada"', "None"), JSON),
    _value("JSON: minus infinity", _TEXT.replace('"Ada"', "-Infinity"), JSON),
    _value("JSON: two lines", f"{_TEXT}\n{_TEXT}", JSON),
    _value("JSON: a comma too many", _TEXT[:-1] + ",}", JSON),
    _value("JSON: a line break in a string", _TEXT.replace("Ada", "A\nda"), JSON),
    _value("JSON: cut behind a number past a double's range", '{"a": 1e999', JSON),
    _value("twice: the event in a string", json.dumps(_TEXT), ENVELOPE),
    _value("twice: the data in a string", json.dumps(_EVENT | {"data": json.dumps(_DATA)}), DATA),
    _value("a batch without a content type", f"[{_TEXT}, {_TEXT}]", ENVELOPE),
    _value("bare data", json.dumps(_DATA), ENVELOPE),
    _value("a change record of Debezium", '{"op": "c", "before": null, "after": {"id": 1}}', ENVELOPE),
    _value("headers of HTTP", json.dumps(_DATA), ENVELOPE, *_OTHER_PREFIX),
    _value("a header's name in Latin-1", _TEXT, Reason.INVALID_TEXT, ("caf\udce9", b"x")),
    _value("ce_ headers and no content type", _TEXT, ENVELOPE, ("ce_type", b"user.created")),
    _value("content type: CSV", "id,version", Reason.UNSUPPORTED_FORMAT, ("content-type", b"text/csv")),
    _value("content type: unheard of", "{}", Reason.UNSUPPORTED_FORMAT, ("content-type", b"application/x-acme")),
    _value("specversion in more quotes", json.dumps(_EVENT | {"specversion": '"1.0"'}), ENVELOPE),
    _value("specversion in words", json.dumps(_EVENT | {"specversion": "one"}), ENVELOPE),
    _binary("specversion in quotes", ENVELOPE, {"ce_specversion": b'"1.0"'}),
    _binary("specversion 1", ENVELOPE, {"ce_specversion": b"1"}),
    _binary("the value is itself a CloudEvent", DATA, {}, _TEXT.encode()),
    _binary("time in quotes", ENVELOPE, {"ce_time": b'"2026-11-22T12:00:00Z"'}),
    _binary("data is XML by its content type", Reason.UNSUPPORTED_FORMAT, {"content-type": b"application/xml"}),
    _keyed("in quotes", b'"' + KEY + b'"'),
    _keyed("with a line break", KEY + b"\n"),
    _keyed("with a prefix", b"user:" + KEY),
    _keyed("its 16 bytes", ID.bytes),
    _keyed("a schema registry's framing", b"\0\0\0\0\7" + b"abc"),
    _keyed("the event's own id", str(OTHER).encode(), _EVENT | {"id": str(OTHER)}),
    _keyed("the owner's id", str(OTHER).encode(), a_document_event()),
    _subject("a path", f"/users/{ID}"),
    _subject("in quotes", f'"{ID}"'),
    _user("only a flag under another name", "updated", version=2, isActive=False),
    BadRecord(
        "owner under another name",
        a_record(
            _DOCUMENT
            | {"data": {("userId" if name == "user_id" else name): value for name, value in _DOCUMENT["data"].items()}}
        ),
        DATA,
    ),
    _user("version 2^64", version=2**64),
    _user("version -10^400", version=-(10**400)),
    _user("version as words", version="three"),
    _user("two fields at once", version=0, name=""),
    _user("is_active in quotes", is_active="false"),
    _user("email with a space", email="ada lovelace@example.com"),
    _user("email without a name", email="@example.com"),
    _user("email without a dot", email="ada@company"),
    _user("email with two dots", email="ada..l@example.com"),
    _user("created_at without seconds", created_at="2026-11-22T12:00Z"),
    _user("created_at with +0100", created_at="2026-11-22T12:00:00+0100"),
    _user("created_at in milliseconds, in quotes", created_at="1700000000000"),
    BadRecord("id: a path", a_record(an_event("user.deleted", {"id": "users/7", "version": 1})), DATA),
]

ALL_BAD_RECORDS = [*BAD_RECORDS, *MISTAKEN_RECORDS]
