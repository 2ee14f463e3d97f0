"""The fast path returns what the careful way returns, or None; and it reads nearly all good records."""

import json
import random
from typing import Any
from uuid import UUID

import pytest
from asyncpg.pgproto import pgproto
from hypothesis import given, settings
from hypothesis import strategies as st

from neon_projector.projections.contract.decode import EVENT_MAX_BYTES, Decoder
from neon_projector.projections.contract.event import Rejection
from neon_projector.projections.contract.fast_path import FastPath
from neon_projector.projections.contract.outcome import Reason
from neon_projector.projections.registry import REGISTRY
from tests.support.factories import TIME, ARecord, a_document_event, a_record, a_user_event
from tests.support.mistaken_records import ALL_BAD_RECORDS

ID, OTHER = UUID(int=7), UUID(int=8)
fast = FastPath(REGISTRY, EVENT_MAX_BYTES, pgproto.UUID).read
in_python = FastPath(REGISTRY, EVENT_MAX_BYTES, UUID).read
carefully = Decoder(REGISTRY).carefully

GOOD = [
    a_user_event("created", ID, is_active=False),
    a_user_event("updated", ID, 2, name="Ada Lovelace"),
    a_user_event("created", ID, created_at="2026-11-22T12:00:00.123Z", updated_at="2026-11-22T12:00:00.123456+00:00"),
    a_user_event(
        "updated", ID, 2, email="ada@example.com", name="Ada", is_active=True, created_at=TIME, updated_at=TIME
    ),
    a_user_event("deleted", ID, 3),
    a_document_event("created", ID, owner=OTHER, content="Grüße"),
    a_document_event("updated", ID, 2, content=None),
    a_document_event("updated", ID, 2, title="Other", created_at="2026-11-22T12:00:00Z"),
    a_document_event("ownership_transferred", ID, 2, from_user_id=ID, to_user_id=OTHER),
    a_document_event("deleted", ID, 3),
]
VALUES: list[Any] = [
    None, True, 0, 1, 1.0, 1e3, -1, 2**63, 2**64, 0.5, "", "x", "3", "\0", "\ud800", [], {}, "x" * 101, "x" * 256,
    str(ID), ID.hex, str(ID).upper(), f"{{{ID}}}", f"urn:uuid:{ID}", "0000000-00000-0000-0000-000000000007",
    f"{ID}"[:-2] + "_7", f"{ID}"[:-1] + "\uff17", "+" + f"{ID}"[1:], f"{ID}"[:-1] + " ", "0x" + f"{ID}"[2:],
    "ada@example.com", "Ada@Example.COM", "ada@localhost", "ada@site.test", "a@b.c", "ada@exämple.com", "a..b@x.org",
    "ada@xn--exmple-cua.com", "ada@a--b.com", ".a@x.org", "x" * 60 + "@x.org", "Ada <ada@example.com>", "ada@x.org\n",
    "2026-11-22T12:00:00Z", "2026-11-22T12:00:00z", "2026-11-22t12:00:00Z", "2026-11-22 12:00:00Z", "2026-11-22",
    "2026-11-22T12:00:00", "2026-11-22T12:00:00+02:00", "2026-11-22T12:00:00+0000", "2026-11-22T12:00:60Z",
    "2026-11-22T24:00:00Z", "2026-02-30T12:00:00Z", "2026-11-22T12:00:00.1234567Z", "2026-11-22T12:00:00.9999999Z",
    "2026-11-22T12:00:00.1Z", "2026-W47-1T12:00:00Z", "0000-11-22T12:00:00Z", "２０２６-11-22T12:00:00Z",
]  # fmt: skip


def same(record: ARecord) -> bool:
    """Whether the fast path read the record; if so, it must agree with the careful way."""
    found = fast(record)
    assert found is None or found == carefully(record)
    assert in_python(record) == found
    return found is not None


@pytest.mark.parametrize("event", GOOD, ids=lambda event: event["type"])
def test_good_events_take_the_fast_path(event: dict[str, Any]) -> None:
    assert same(a_record(event))
    assert same(a_record(event, headers=(("Content-Type", b"application/cloudevents+json; charset=UTF-8"),)))
    assert same(a_record(event | {"subject": str(ID), "traceparent": "00-1-2-3"}))
    assert same(a_record(event, value=json.dumps(event, ensure_ascii=False).encode()))


@pytest.mark.parametrize("bad", ALL_BAD_RECORDS, ids=lambda bad: bad.name)
def test_bad_records_do_not(bad: Any) -> None:
    assert not same(bad.record)


@pytest.mark.parametrize("kind", [UUID, pgproto.UUID])
def test_ids_are_made_as_asked(kind: type[UUID]) -> None:
    event = FastPath(REGISTRY, EVENT_MAX_BYTES, kind).read(a_record(a_document_event(id=ID, owner=OTHER)))
    assert event is not None
    assert type(event.id) is type(event.fields["user_id"]) is kind
    assert (event.id, event.fields["user_id"]) == (ID, OTHER)


@pytest.mark.parametrize("event", GOOD, ids=lambda event: event["type"])
def test_whatever_stands_in_a_field_both_ways_agree(event: dict[str, Any]) -> None:
    for value in VALUES:
        for name in [*event["data"], "content", "password", "created_at"]:
            same(a_record(event, value=json.dumps(event | {"data": event["data"] | {name: value}}).encode()))
        for name in [*event, "subject", "datacontenttype", "data_base64", "other"]:
            same(a_record(event, value=json.dumps(event | {name: value}).encode()))
    for name in event["data"]:
        less = {key: value for key, value in event["data"].items() if key != name}
        same(a_record(event, value=json.dumps(event | {"data": less}).encode()))


@settings(max_examples=1_500, deadline=None)
@given(st.sampled_from(GOOD), st.randoms(use_true_random=False), st.integers(1, 3))
def test_wherever_bytes_are_spoilt_both_ways_agree(event: dict[str, Any], rng: random.Random, times: int) -> None:
    value = bytearray(json.dumps(event | {"other": {"a": [1.5e3, None, "x\\n"], "b": "\u00e9"}}).encode())
    for _ in range(times):
        at = rng.randrange(len(value))
        if rng.random() < 0.5:
            value[at] = rng.choice(b'"\\{}[],:0159eE+-.tfnu\x00\x01\x1f\x7f\x80\xc3\xed \n')
        else:
            part = value[at : at + rng.randrange(1, 12)]
            value[at:at] = part if rng.random() < 0.5 else b""
            del value[at : at + (len(part) if rng.random() < 0.5 else 0)]
    same(a_record(event, value=bytes(value)))


@settings(max_examples=500, deadline=None)
@given(st.emails() | st.from_regex(r"[a-z0-9._+-]{1,20}@[a-z0-9.-]{1,30}", fullmatch=True))
def test_whatever_the_address_both_ways_agree(address: str) -> None:
    same(a_record(a_user_event(id=ID, email=address)))


@pytest.mark.parametrize(
    "number", ["1" + "0" * 400, "-1e999", "1" * 5_000, "1.5e308", "1e-999", "0." + "0" * 500 + "1"]
)
def test_a_number_past_a_doubles_range_is_of_no_account_in_an_unknown_field(number: str) -> None:
    for event in (a_user_event(id=ID, note="NUMBER"), a_user_event(id=ID) | {"note": "NUMBER"}):
        value = json.dumps(event).replace('"NUMBER"', number).encode()
        assert same(a_record(event, value=value))
    for rest in (b', "x": "\\ud800"}', b', "x": "\\u0000"}', b', "x": NaN}', b', "x": "\xff"}', b"]"):
        assert not same(a_record(event, value=value[:-1] + rest))


@pytest.mark.parametrize("number", ["1" + "0" * 400, "-1e999", "1" * 5_000])
def test_in_a_field_of_the_contract_it_is_refused(number: str) -> None:
    event = a_user_event(id=ID)
    value = json.dumps(event).replace('"version": 1', f'"version": {number}').encode()
    assert not same(a_record(event, value=value))
    rejection = carefully(a_record(event, value=value))
    assert isinstance(rejection, Rejection)
    assert (rejection.reason, rejection.type) == (Reason.INVALID_DATA, "user.created")
