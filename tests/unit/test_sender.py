"""Who sent a record is told also where it is no event, and never from what stands in its data."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.sender import Sender, sender_of
from neon_projector.projections.registry import REGISTRY
from tests.support.factories import ARecord, a_binary_record, a_document_event, a_record, a_user_event, an_event
from tests.support.good_records import GOOD_RECORDS
from tests.support.mistaken_records import ALL_BAD_RECORDS

ONE = UUID("7b0c0f0e-6a0e-4c8e-9f57-0c5f3c3c1d11")
KEY = str(ONE).encode()
RECORDS = dict([*GOOD_RECORDS, *((bad.name, bad.record) for bad in ALL_BAD_RECORDS)])
NOBODY = Sender(None, None, None)


def a_value(value: Any, key: bytes | None = None, **headers: bytes) -> ARecord:
    body = value if isinstance(value, bytes | None) else json.dumps(value).encode()
    names = {"content_type": "content-type"}
    return ARecord(body, key, tuple((names.get(name, name), own) for name, own in headers.items()))


@pytest.mark.parametrize("make", [a_record, a_binary_record])
@pytest.mark.parametrize("event", [a_user_event(id=ONE), a_document_event("deleted", id=ONE)])
def test_of_an_event_it_is_what_the_decoder_reads(make: Any, event: dict[str, Any]) -> None:
    decoded = Decoder(REGISTRY)(make(event))
    assert isinstance(decoded, Event)
    assert sender_of(make(event)) == Sender(decoded.source, event["type"], str(decoded.id))


@pytest.mark.parametrize(
    ("record", "sender"),
    [
        (a_value(None, KEY), Sender(None, None, str(ONE))),
        (a_value(None), NOBODY),
        (a_value(b""), NOBODY),
        (a_value(b"\xff\xfe{"), NOBODY),
        (a_value([1, 2]), NOBODY),
        (a_value("text"), NOBODY),
        (a_value({"source": "/shop", "type": 7}), Sender("/shop", None, None)),
        (a_value({"source": {"a": 1}, "type": "t"}), Sender(None, "t", None)),
        (a_value({"source": "", "type": ""}), NOBODY),
        (a_value({"type": "t", "data": {"source": "/innocent"}}), Sender(None, "t", None)),
        (a_value(b'{"source": "/shop", "type": "t", "data": {"id"'), Sender("/shop", "t", None)),
        (a_value(b'{"type": "t", "data": {"source": "/innocent"'), Sender(None, "t", None)),
        (a_value(b'{"source": "/sh\\u006fp", '), NOBODY),
        (a_value({"source": "/shop", "type": "t", "data": {"id": str(ONE).upper()}}), Sender("/shop", "t", str(ONE))),
        (a_value({"source": "/shop", "type": "t", "data": {"id": "ada@example.com"}}), Sender("/shop", "t", None)),
        (a_value({"source": "/shop", "type": "t", "data": [ONE.hex]}), Sender("/shop", "t", None)),
        (a_value({"source": "/shop", "type": "t"}, ONE.hex.encode()), Sender("/shop", "t", str(ONE))),
        (a_value({"source": "/shop", "type": "t"}, b"ada@example.com"), Sender("/shop", "t", None)),
        (a_value(b"not JSON", ce_source=b"/shop"), Sender("/shop", None, None)),
        (a_value(None, ce_source=b"/shop", ce_type=b"t"), Sender("/shop", "t", None)),
        (a_value({"id": str(ONE)}, CE_Source=b"/sh\xff", ce_type=b"t"),
         Sender("/sh\N{REPLACEMENT CHARACTER}", "t", str(ONE))),
        (a_value({"source": "/in", "type": "t"}, ce_source=b"/out", content_type=b"application/cloudevents+json"),
         Sender("/in", "t", None)),
    ],
)  # fmt: skip
def test_of_a_bad_record_it_is_what_can_be_told(record: ARecord, sender: Sender) -> None:
    assert sender_of(record) == sender


def test_deep_json_is_no_bug() -> None:
    nested = b"[" * 100_000
    assert sender_of(a_value(b'{"source": "/shop", "type": "t", "data": ' + nested)) == Sender("/shop", "t", None)
    assert sender_of(a_value(nested)) == NOBODY
    assert sender_of(a_value(b'{"source": "/shop", "type": "t", "x": %s%s}' % (nested, b"]" * 100_000))).id is None


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS.keys())
def test_of_every_record_it_is_the_source_and_the_type_that_the_decoder_reads(record: ARecord) -> None:
    """Also of those that are rejected: a dead letter and `projector traffic` name the same publisher."""
    decoded, sender = Decoder(REGISTRY)(record), sender_of(record)
    if decoded.source is not None:
        assert (sender.source, sender.type) == (decoded.source, decoded.type)
    if isinstance(decoded, Event):
        assert sender.id == str(decoded.id)


@given(st.binary(max_size=80), st.none() | st.binary(max_size=40), st.integers(0, 300))
def test_no_bytes_make_it_fail(value: bytes, key: bytes | None, at: int) -> None:
    whole = a_record(an_event("user.created", {"id": str(uuid4())})).value
    assert whole is not None
    for one in (value, whole[:at] + value + whole[at:], whole[:at]):
        found = sender_of(ARecord(one, key)).id
        assert found is None or str(UUID(found)) == found
