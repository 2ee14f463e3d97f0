"""The fields of events: what they accept, and that what was accepted once is accepted again as it is.

A parked event is stored as the contract's own data and read back by it: were the second reading not the same as the
first, one odd address could stop the service.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from pydantic import TypeAdapter, ValidationError

from neon_projector.projections.contract.decode import Decoder, read_data
from neon_projector.projections.contract.envelope import Envelope
from neon_projector.projections.contract.event import Event, Rejection
from neon_projector.projections.contract.fields import Email, parse_time
from neon_projector.projections.registry import REGISTRY
from tests.support.factories import a_document_event, a_record, a_user_event

decode = Decoder(REGISTRY)
email_adapter: TypeAdapter[str] = TypeAdapter(Email)
A_TIME = "a time as in 2026-11-22T12:00:00Z (RFC 3339)"
ID = UUID("11111111-1111-4111-8111-111111111111")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Ada.L@EXAMPLE.com", "Ada.L@example.com"),
        (" ada@example.com ", "ada@example.com"),
        ("Ada Lovelace <ada@example.com>", "ada@example.com"),
        ("ada@xn--bcher-kva.de", "ada@bücher.de"),
        ("e\u0301va@example.com", "\u00e9va@example.com"),
        ("Ada@Site.TEST", "Ada@site.test"),
        (" Ada <ada@b\u00fccher.invalid> ", "ada@b\u00fccher.invalid"),
        ("ada@mail.localhost", "ada@mail.localhost"),
        ("ada@printer.local", "ada@printer.local"),
        ("ada@shop.example", "ada@shop.example"),
    ],
)
def test_an_address_is_kept_as_pydantic_returns_it(given: str, kept: str) -> None:
    event = decode(a_record(a_user_event(email=given)))
    assert isinstance(event, Event)
    assert event.fields["email"] == kept


local = st.text("abcXé中ß.+-_ＡİſK\u0301", min_size=1, max_size=6)
ends = st.sampled_from(["com", "рф", "xn--p1ai", "ＣＯＭ", "test", "TEST", "Local"])
domain = st.text("abcéßİＡ中-xnｘ。\u0301", min_size=1, max_size=6)


@settings(max_examples=300, deadline=None)
@given(
    text=st.builds(
        "{}@{}.{}".format, local, domain, st.sampled_from(["com", "рф", "xn--p1ai", "ＣＯＭ", "test", "TEST", "Local"])
    )
)
def test_an_address_that_was_accepted_is_accepted_again_and_stays(text: str) -> None:
    try:
        accepted = email_adapter.validate_python(text)
    except ValidationError:
        return
    assert email_adapter.validate_python(accepted) == accepted


@pytest.mark.parametrize("spelling", [str(ID).upper(), ID.hex, ID.urn, f"{{{ID}}}"])
def test_an_id_may_be_spelled_as_any_uuid(spelling: str) -> None:
    event = decode(a_record(a_user_event("deleted") | {"data": {"id": spelling, "version": 1}}))
    assert isinstance(event, Event)
    assert event.id == ID


@given(time=st.datetimes(min_value=datetime(2, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_every_time_that_was_read_is_read_again(time: datetime) -> None:
    assert parse_time(orjson.loads(orjson.dumps(time))) == time


def test_midnight_at_the_end_of_a_day_is_no_time_of_rfc_3339() -> None:
    with pytest.raises(ValueError, match="no time"):
        parse_time("2026-11-22T24:00:00Z")


@pytest.mark.parametrize(
    "event",
    [
        a_user_event(
            "updated", version=2, email="Ada <ada@EXAMPLE.com>", updated_at="2026-11-22T12:00:00.123456789+02:00"
        ),
        a_user_event("updated", version=2, is_active=False, name="ada"),
        a_document_event("updated", version=2, content=None),
        a_document_event("updated", version=2, title="𝄞", content=""),
        a_document_event("ownership_transferred", version=2, from_user_id=uuid4(), to_user_id=uuid4()),
    ],
    ids=lambda event: " ".join([event["type"], *event["data"]]),
)
def test_a_parked_event_is_read_back_as_it_was(event: dict[str, Any]) -> None:
    first = decode(a_record(event))
    assert isinstance(first, Event)
    projection, event_type = REGISTRY.event_types[first.type]
    stored = orjson.dumps(event_type.data_of(first.id, first.version, first.fields, first.expects))
    envelope = Envelope(first.event_id, first.source, first.type, None, None, None)
    again = read_data(projection, event_type, orjson.loads(stored), envelope, first.record)
    assert again == replace(first, record=again.record)


@pytest.mark.parametrize(
    ("time", "said"),
    [
        ("2026-12-31T23:59:60Z", "seconds from 00 to 59, a leap second (:60) came"),
        ("2026-12-31T23:59:60.5+01:00", "seconds from 00 to 59, a leap second (:60) came"),
        ("2026-12-31T23:59:61Z", "a time that exists, from year 1 to year 9999, another came"),
        ("2026-12-31 23:59", f"{A_TIME}, a time without seconds came"),
        (60, f"{A_TIME}, a whole number came"),
    ],
)
def test_a_time_is_refused_in_a_sentence_wherever_it_stands(time: Any, said: str) -> None:
    event = a_user_event(created_at=time)
    rejected = decode(a_record(event))
    assert isinstance(rejected, Rejection)
    assert rejected.error == f"data.created_at: {said}"
    if isinstance(time, str):
        in_envelope = decode(a_record(a_user_event() | {"time": time}))
        assert isinstance(in_envelope, Rejection)
        assert in_envelope.error == f"time: {said}"


def test_an_id_that_is_a_number_is_refused_in_a_sentence() -> None:
    rejected = decode(a_record(a_user_event() | {"data": {"id": 7, "version": 1, "email": "a@example.com"}}))
    assert isinstance(rejected, Rejection)
    assert "data.id: a UUID as a string, a whole number came" in rejected.error
