"""No record, whatever is in it, harms more than itself: each bad one is rejected, by the reason that fits."""

import json
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Event, Ignored, Rejection
from neon_projector.projections.contract.outcome import Reason
from neon_projector.projections.registry import REGISTRY
from tests.support.bad_records import BAD_RECORDS, BadRecord
from tests.support.factories import ARecord, a_document_event, a_record, a_user_event
from tests.support.mistaken_records import ALL_BAD_RECORDS

decode = Decoder(REGISTRY)


@pytest.mark.parametrize("bad", ALL_BAD_RECORDS, ids=lambda bad: bad.name)
def test_a_bad_record_is_rejected_by_its_reason(bad: BadRecord) -> None:
    rejection = decode(bad.record)
    assert isinstance(rejection, Rejection)
    assert rejection.reason is bad.reason
    assert rejection.record is bad.record


def test_the_list_is_long_and_its_names_are_unique() -> None:
    names = [bad.name for bad in ALL_BAD_RECORDS]
    assert len(set(names)) == len(names) >= 80


def test_every_reason_that_decoding_has_is_in_the_list() -> None:
    later = {"wrong_owner", "deleted", "erased", "version_conflict", "refused_by_database", "undecodable"}
    reasons = sorted(bad.reason for bad in BAD_RECORDS)
    found = {reason for reason, _ in groupby(reasons)}
    assert found == set(type(BAD_RECORDS[0].reason)) - later


SECRET = "correct-horse-battery"


@pytest.mark.parametrize(
    "change",
    [
        {"email": SECRET},
        {"name": SECRET * 9},
        {"version": SECRET},
        {"id": SECRET},
        {"created_at": SECRET},
        {"is_active": SECRET},
        {"updated_at": {SECRET: SECRET}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_error_shows_nothing_of_the_input(change: dict[str, Any]) -> None:
    event = a_user_event()
    event["data"] |= change
    rejection = decode(ARecord(json.dumps(event).encode()))
    assert isinstance(rejection, Rejection)
    assert next(iter(change)) in rejection.error
    assert SECRET not in rejection.error


@pytest.mark.parametrize("time", ["2026-11-22T12:00:00+99:17", f"{SECRET}T12:00:00Z"])
def test_an_error_about_the_time_shows_nothing_of_it(time: str) -> None:
    rejection = decode(a_record(a_user_event() | {"time": time}))
    assert isinstance(rejection, Rejection)
    assert rejection.error.startswith("time: a time")
    assert "17" not in rejection.error


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=3,
)
FIELDS = ["id", "version", "email", "name", "title", "user_id", "content", "created_at", "time", "subject", "source"]
header_names = st.sampled_from(
    ["content-type", "Content-Type", "ce_id", "ce_type", "ce_source", "ce_specversion", "ce_time", "ce_subject", "x"]
)
headers = st.lists(
    st.tuples(
        header_names,
        st.none()
        | st.binary(max_size=12)
        | st.sampled_from([b"1.0", b"user.created", b"application/json", b"application/cloudevents"]),
    ),
    max_size=8,
).map(tuple)


def assert_foreseen(decoded: Event | Rejection | Ignored) -> None:
    """Decoding never raises; and what it makes of this is not the answer to an error that nobody thought of."""
    assert getattr(decoded, "reason", None) is not Reason.UNDECODABLE, decoded


@settings(max_examples=200, deadline=None)
@given(value=st.none() | st.binary(max_size=60), key=st.none() | st.binary(max_size=20), headers=headers)
def test_whatever_the_bytes_it_is_foreseen(value: bytes | None, key: bytes | None, headers: Any) -> None:
    assert_foreseen(decode(ARecord(value, key, headers)))


@settings(max_examples=100, deadline=None)
@given(
    event=st.sampled_from([a_user_event(), a_document_event(), a_document_event("updated", title="x")]),
    place=st.sampled_from(["attributes", "data"]),
    name=st.sampled_from(FIELDS),
    value=json_values,
)
def test_whatever_stands_in_a_field_it_is_foreseen(event: Any, place: str, name: str, value: Any) -> None:
    inner = event["data"] | {name: value} if place == "data" else event["data"]
    changed = event | {"data": inner} | ({name: value} if place == "attributes" else {})
    assert_foreseen(decode(ARecord(json.dumps(changed).encode(), str(event["data"]["id"]).encode())))


@settings(max_examples=100, deadline=None)
@given(email=st.text(max_size=30) | st.builds("{}@{}.{}".format, *[st.text(min_size=1, max_size=12)] * 3))
def test_whatever_the_address_it_is_foreseen(email: str) -> None:
    assert_foreseen(decode(a_record(a_user_event(email=email))))
