"""W3C Trace Context as records carry it: what counts, what does not, and that it costs next to nothing."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from neon_projector.projections.contract.record import Record, RecordPlace
from neon_projector.projections.contract.trace_context import (
    TRIES,
    TraceContext,
    parsed,
    sampled_contexts,
    trace_context,
    traceparent,
)
from tests.support.factories import ARecord, a_binary_record, a_record, a_user_event

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"
UNSAMPLED = f"00-{TRACE}-{SPAN}-00"
OTHER = f"00-{TRACE}-{SPAN[::-1]}-01"
CLOUDEVENTS = ("content-type", b"application/cloudevents+json")
VALID = {
    GOOD: TraceContext(TRACE, SPAN, True),
    UNSAMPLED: TraceContext(TRACE, SPAN, False),
    f"00-{TRACE}-{SPAN}-ff": TraceContext(TRACE, SPAN, True),
    f"00-{TRACE}-{SPAN}-0a": TraceContext(TRACE, SPAN, False),
    f"cc-{TRACE}-{SPAN}-01": TraceContext(TRACE, SPAN, True),
    f"01-{TRACE}-{SPAN}-01-and what will be": TraceContext(TRACE, SPAN, True),
    f"01-{TRACE}-{SPAN}-01-": TraceContext(TRACE, SPAN, True),
}
INVALID = [
    "", "00", f"ff-{TRACE}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01", GOOD.upper(),
    f"{GOOD}-more", f"01-{TRACE}-{SPAN}-01.more", f"01-{TRACE}-{SPAN}-0123", GOOD[:-1], f" {GOOD}", f"{GOOD}\n",
    f"0-{TRACE}-{SPAN}-01", f"00-{TRACE[1:]}-{SPAN}-01", f"00-{TRACE}-{SPAN}0-01", GOOD.replace("-", "_"),
    f"00-{TRACE}-{SPAN}-0g", f"0g-{TRACE}-{SPAN}-01", f"00-{TRACE[:-1]}٣-{SPAN}-01",
]  # fmt: skip


def test_a_valid_traceparent_is_read_and_its_text_is_of_version_00() -> None:
    assert {text: parsed(text.encode()) for text in VALID} == VALID
    assert str(VALID[GOOD]) == GOOD
    assert str(VALID[f"01-{TRACE}-{SPAN}-01-"]) == GOOD
    assert str(VALID[f"00-{TRACE}-{SPAN}-0a"]) == UNSAMPLED


@pytest.mark.parametrize("text", INVALID)
def test_a_wrong_one_is_as_good_as_none(text: str) -> None:
    assert parsed(text.encode()) is None


HEX = "0123456789abcdef"
PARTS = st.tuples(
    st.sampled_from(["00", "01", "cc", "ff", "0G", "0"]),
    st.sampled_from([TRACE, "0" * 32, TRACE.upper(), TRACE[1:]]) | st.text(HEX, min_size=32, max_size=32),
    st.sampled_from([SPAN, "0" * 16, SPAN + "0"]) | st.text(HEX, min_size=16, max_size=16),
    st.text(HEX, min_size=2, max_size=2) | st.sampled_from(["1", "0x"]),
)


@settings(max_examples=200)
@given(PARTS, st.sampled_from(["", "", "-", "-more", ".more", "0"]))
def test_it_reads_what_opentelemetry_reads(parts: tuple[str, ...], more: str) -> None:
    text = "-".join(parts) + more
    context = TraceContextTextMapPropagator().extract({"traceparent": text})
    theirs = trace.get_current_span(context).get_span_context()
    ours = parsed(text.encode())
    assert (ours is not None) == theirs.is_valid
    if ours is not None:
        assert (int(ours.trace_id, 16), int(ours.span_id, 16)) == (theirs.trace_id, theirs.span_id)
        assert ours.sampled == theirs.trace_flags.sampled


def with_header(*headers: tuple[str, bytes | None], **attributes: object) -> ARecord:
    return a_record(a_user_event() | attributes, headers=headers)


PLACES = {
    "a header": with_header(("traceparent", GOOD.encode())),
    "a header in another case": with_header(("TraceParent", GOOD.encode())),
    "the last of two headers": with_header(("traceparent", OTHER.encode()), ("traceparent", GOOD.encode())),
    "a header, and null ones": with_header(("traceparent", GOOD.encode()), ("traceparent", None)),
    "an attribute": with_header(traceparent=GOOD),
    "an attribute, and a content type": with_header(CLOUDEVENTS, traceparent=GOOD),
    "an attribute, with ce_ headers beside": with_header(CLOUDEVENTS, ("ce_id", b"1"), traceparent=GOOD),
    "a ce_ header": a_binary_record(a_user_event() | {"traceparent": GOOD}),
    "a header before the event's own": with_header(("traceparent", GOOD.encode()), traceparent=OTHER),
    "an attribute where the header is wrong": with_header(("traceparent", b"00-1"), traceparent=GOOD),
    "a ce_ header where the header is wrong": a_binary_record(
        a_user_event(), headers=(("traceparent", b""), ("ce_traceparent", GOOD.encode()))
    ),
}
NOWHERE: dict[str, Record] = {
    "no header": with_header(),
    "a value that is no text": with_header(traceparent=17),
    "null": with_header(traceparent=None),
    "a surrogate": ARecord(b'{"traceparent": "\\ud800"}'),
    "in data": a_record(a_user_event(traceparent=GOOD)),
    "in data of binary mode": a_binary_record(a_user_event(traceparent=GOOD)),
    "the value itself, in binary mode": ARecord(json.dumps({"traceparent": GOOD}).encode(), headers=(("ce_id", b"1"),)),
    "no JSON": ARecord(b'{"traceparent": "' + GOOD.encode()),
    "bytes that are not UTF-8": ARecord(b'{"traceparent": "' + GOOD.encode() + b'", "x": "\xff"'),
    "depth": ARecord(b'{"a": ' + b"[" * 100_000 + b'"traceparent"'),
    "no object": ARecord(b'["traceparent"]'),
    "nothing": ARecord(None),
    "a name that is not UTF-8": with_header(("\udce9traceparent"[:11], GOOD.encode())),
    "a place": RecordPlace("users", 0, 1),
}


@pytest.mark.parametrize("place", PLACES)
def test_it_is_found(place: str) -> None:
    assert traceparent(PLACES[place]) == GOOD
    assert sampled_contexts([PLACES[place]], 1) == [VALID[GOOD]]


@pytest.mark.parametrize("place", NOWHERE)
def test_it_is_not_found_in(place: str) -> None:
    assert trace_context(NOWHERE[place]) is None
    assert sampled_contexts([NOWHERE[place]], 1) == []


def test_links_are_to_sampled_contexts_each_once_and_no_more_than_are_wanted() -> None:
    texts = [f"00-{number:032x}-{SPAN}-{number % 2:02x}" for number in range(1, 101)]
    records = [with_header(("traceparent", text.encode())) for text in texts for _ in range(3)]
    found = sampled_contexts(iter(records), 32)
    assert [context.trace_id for context in found] == [f"{number:032x}" for number in range(1, 65, 2)]
    assert sampled_contexts([with_header(("traceparent", UNSAMPLED.encode()), traceparent=GOOD)], 32) == []


def test_what_only_looks_sampled_is_not_read_with_care_for_ever() -> None:
    looks = [a_record(a_user_event(traceparent=f"00-{number:032x}-{SPAN}-01")) for number in range(1, 9 * TRIES)]
    good = with_header(("traceparent", GOOD.encode()))
    assert sampled_contexts([*looks[: 8 * TRIES - 1], good], 8) == [VALID[GOOD]]
    assert sampled_contexts([*looks[: 8 * TRIES], good], 8) == []
