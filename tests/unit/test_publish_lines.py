"""Lines become records, and records messages: in either mode the same event; of a dead letter what came, or nothing."""

import base64
import io
import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from neon_projector.consumer.admin.publish.lines import STRUCTURED, NotLines, opened, records_of
from neon_projector.consumer.admin.publish.message import Mode, message_of
from neon_projector.consumer.cli.letter_text import readable
from neon_projector.consumer.cli.output import json_of
from neon_projector.projections.checking.given import Given
from neon_projector.projections.checking.problem import Problem
from neon_projector.projections.contract.dead_letter import dead_letter
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Event, Rejection
from neon_projector.projections.registry import REGISTRY
from tests.support.factories import ARecord, a_binary_record, a_document_event, a_record, a_user_event
from tests.unit.test_decode import EVERY_TYPE

ADA = UUID(int=1)
decode = Decoder(REGISTRY)
PLAIN = a_user_event(id=ADA, name="Zoë 🎻", note=2**70) | {"subject": str(ADA), "traceparent": "00-1", "priority": 3}
PLAIN |= {"datacontenttype": "application/json", "comment": None}
IN_BASE64 = {k: v for k, v in PLAIN.items() if k != "data"} | {
    "data_base64": base64.b64encode(json.dumps(PLAIN["data"]).encode()).decode()
}


def lines(*texts: bytes) -> list[tuple[int, Any]]:
    return [*records_of(io.BytesIO(b"\n".join(texts)))]


def event_of(record: Any) -> Event:
    event = decode(record)
    assert isinstance(event, Event), event
    return event


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("event", [PLAIN, IN_BASE64, *(event for event, _, _ in EVERY_TYPE)])
@pytest.mark.parametrize("binary", [False, True])
def test_a_message_is_the_same_event_in_either_mode(event: dict[str, Any], mode: Mode, binary: bool) -> None:
    if binary and "data" not in event:
        return
    record = a_binary_record(event) if binary else Given(json.dumps(event).encode(), STRUCTURED)
    first = event_of(record)
    message = message_of(record, first, "topic", mode)
    again = event_of(ARecord(message.value, message.key, tuple(message.headers)))
    assert (again.fields, again.expects, again.version) == (first.fields, first.expects, first.version)
    assert (again.type, again.event_id, again.source) == (first.type, first.event_id, first.source)
    assert (message.topic, message.key) == ("topic", str(first.id).encode())
    names = {name for name, _ in message.headers}
    assert ("ce_id" in names) == (mode is Mode.BINARY)
    assert "content-type" in names


def test_a_value_that_has_the_mode_already_stays_byte_for_byte() -> None:
    text = json.dumps(PLAIN, indent=None, separators=(" , ", ":  ")).encode()
    record = Given(text, STRUCTURED)
    assert message_of(record, event_of(record), "t", Mode.STRUCTURED).value == text
    binary = a_binary_record(PLAIN)
    assert message_of(binary, event_of(binary), "t", Mode.BINARY).value == binary.value


def test_what_no_field_of_the_contract_holds_is_published_too() -> None:
    record = Given(json.dumps(PLAIN).encode(), STRUCTURED)
    binary = message_of(record, event_of(record), "t", Mode.BINARY)
    assert json.loads(binary.value)["note"] == 2**70
    wanted = {("ce_traceparent", b"00-1"), ("ce_priority", b"3"), ("ce_subject", str(ADA).encode())}
    assert set(binary.headers) >= wanted
    assert {"ce_datacontenttype", "ce_comment"}.isdisjoint(dict(binary.headers))


DATA = json.dumps(PLAIN["data"])
PARTS = {"specversion": "1.0", "id": "1", "source": "/s", "type": "user.created", "time": PLAIN["time"]}
ODD_DATA = {"a number past a double": "1e400", "5,000 digits": "9" * 5_000, "990 levels": "[" * 990 + "]" * 990}
ODD_NAMES = {
    "Type": "x", "TYPE": "user.deleted", "Specversion": "9", "Time": "x", "Subject": "x", "Id": "", "ID": "y",
    "SOURCE": "x", "t\u0130me": "x", "dataContentType": "text/plain", "": "x", "a b": "x",
}  # fmt: skip


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("number", ODD_DATA.values(), ids=ODD_DATA)
def test_data_that_no_field_holds_is_the_same_bytes_in_the_other_mode(mode: Mode, number: str) -> None:
    data = DATA.removesuffix("}") + f', "x": {number}}}'
    structured = Given((json.dumps(PARTS).removesuffix("}") + f', "data": {data}}}').encode(), STRUCTURED)
    binary = ARecord(data.encode(), headers=tuple((f"ce_{name}", text.encode()) for name, text in PARTS.items()))
    for record in (structured, binary):
        message = message_of(record, first := event_of(record), "t", mode)
        assert data.encode() in message.value
        assert event_of(ARecord(message.value, message.key, tuple(message.headers))).fields == first.fields


@pytest.mark.parametrize("name", ODD_NAMES)
def test_an_attribute_that_a_header_would_not_tell_from_another_is_no_header(name: str) -> None:
    event = PARTS | {name: ODD_NAMES[name]} | {"data": PLAIN["data"]}
    first = event_of(record := Given(json.dumps(event).encode(), STRUCTURED))
    message = message_of(record, first, "t", Mode.BINARY)
    again = event_of(ARecord(message.value, message.key, tuple(message.headers)))
    assert (again.type, again.event_id, again.source, again.fields) == (
        first.type, first.event_id, first.source, first.fields)  # fmt: skip


@pytest.mark.parametrize("name", ["ce_data", "ce_data_base64", "ce_datacontenttype"])
def test_a_header_that_is_named_as_the_data_is_none_of_it(name: str) -> None:
    record = a_binary_record(PLAIN)
    record = replace(record, headers=(*record.headers, (name, b"e30=")))
    message = message_of(record, first := event_of(record), "t", Mode.STRUCTURED)
    assert event_of(ARecord(message.value, headers=tuple(message.headers))).fields == first.fields


def test_lines_are_numbered_with_the_empty_ones_which_are_left_out() -> None:
    found = lines(b'{"a": 1}', b"", b"  \r", b'{"b": 2}\r', b"nonsense")
    assert [(number, record.value) for number, record in found] == [
        (1, b'{"a": 1}'),
        (4, b'{"b": 2}'),
        (5, b"nonsense"),
    ]


def test_an_event_on_several_lines_is_no_file_of_lines() -> None:
    for first in ((b"{",), (b"[",), (b"", b"  ", b"{"), (b"\xef\xbb\xbf{\r",)):
        with pytest.raises(NotLines, match="jq -c"):
            lines(*first, b'"specversion": "1.0"')
    assert [number for number, _ in lines(b'{"a": 1}', b"{")] == [1, 2]


def test_a_standard_input_that_is_closed_is_an_error_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(OSError, match="Bad file descriptor"):
        opened("-")


def exported(record: ARecord, **changed: Any) -> bytes:
    """The line of its dead letter."""
    rejected = decode(record)
    assert isinstance(rejected, Rejection)
    more = {"id": 42, "attempts": 0, "created_at": "2026-11-22T12:00:00Z", "status": "new"}
    letter = dead_letter(rejected, REGISTRY.secrets) | more | changed
    return json_of(readable(letter)).encode()


BAD = a_record(a_user_event(id=ADA, name=""))


@pytest.mark.parametrize(
    "record",
    [BAD, a_binary_record(a_user_event(id=ADA, version=0)), ARecord(b"\xff\xfe"), a_record(a_user_event(), key=b"x")],
    ids=["structured", "binary", "no text", "another key"],
)
def test_a_dead_letter_is_the_record_that_came_without_its_key(record: ARecord) -> None:
    ((_, found),) = lines(exported(record))
    assert (found.value, tuple(found.headers), found.key) == (record.value, record.headers, None)


@pytest.mark.parametrize(
    "line",
    [
        exported(a_record(a_user_event(id=ADA, name="", password="hunter2"))),
        exported(a_record(a_document_event(title="", content="x" * 70_000))),
        exported(replace(BAD, headers=(("password", b"hunter2"),))),
        exported(BAD).replace(b"Ada", b"Eve").replace(b"example.com", b"example.org"),
        exported(BAD, value=None, value_length=None),
        exported(BAD, sha256=b"").replace(b'"sha256":""', b'"sha256":"nonsense"'),
        exported(BAD).replace(b'"headers":[]', b'"headers":7'),
    ],
    ids=["masked", "cut", "masked header", "changed", "parked", "no hash", "no headers"],
)
def test_a_dead_letter_that_is_not_whole_is_refused_by_name(line: bytes) -> None:
    ((number, found),) = lines(line)
    assert isinstance(found, Problem)
    assert (number, found.line, found.reason, found.warning) == (1, 1, "not_whole", False)
    assert "dead-letters retry 42" in found.mend
