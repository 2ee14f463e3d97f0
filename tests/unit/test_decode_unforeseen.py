"""Whatever one record makes the code do ends as that record's rejection, with nothing of the record in its text."""

import json
from typing import Any
from uuid import UUID

import pytest

from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Event, Rejection, make_event
from neon_projector.projections.contract.outcome import Reason
from neon_projector.projections.contract.strict_json import MAX_NESTING
from neon_projector.projections.registry import REGISTRY
from tests.support.factories import ARecord, a_binary_record, a_record, a_user_event

EVENT = a_user_event(note="NEST")
AROUND = 2
"""The event, and its data."""


def nested(depth: int, opening: str = "[", closing: str = "]") -> ARecord:
    value = json.dumps(EVENT).replace('"NEST"', opening * depth + '"bottom"' * (":" in opening) + closing * depth)
    return a_record(EVENT, value=value.encode())


@pytest.mark.parametrize("depth", [MAX_NESTING - AROUND + 1, 1_000, 1_021, 1_024, 5_000, 100_000])
def test_what_is_nested_too_deep_is_no_json_to_us(depth: int) -> None:
    rejection = Decoder(REGISTRY)(nested(depth))
    assert isinstance(rejection, Rejection)
    assert (rejection.reason, rejection.error) == (
        Reason.INVALID_JSON,
        f"the value: at most {MAX_NESTING} levels of arrays and objects, more came",
    )


def test_objects_count_as_arrays_do() -> None:
    decode = Decoder(REGISTRY)
    assert isinstance(decode(nested(MAX_NESTING - AROUND, '{"x":', "}")), Event)
    assert isinstance(decode(nested(MAX_NESTING - AROUND + 1, '{"x":', "}")), Rejection)


@pytest.mark.parametrize("depth", [1, 400, 900, 980, 990, MAX_NESTING - AROUND])
def test_what_is_not_too_deep_is_an_unknown_field(depth: int) -> None:
    assert isinstance(Decoder(REGISTRY)(nested(depth)), Event), "the fast path may give up, the careful way does not"


def test_data_of_its_own_is_measured_by_itself() -> None:
    record = a_binary_record(EVENT)
    value = (record.value or b"").replace(b'"NEST"', b"[" * MAX_NESTING + b"]" * MAX_NESTING)
    rejection = Decoder(REGISTRY)(a_binary_record(EVENT, value=value))
    assert isinstance(rejection, Rejection)
    assert rejection.reason is Reason.INVALID_JSON
    assert rejection.event_id == EVENT["id"]


@pytest.mark.parametrize("error", [RecursionError, MemoryError, OverflowError, UnicodeError, KeyError, AssertionError])
def test_an_error_that_nobody_foresaw_is_that_records_rejection(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = a_record(a_user_event(name="Mallory")), a_record(a_user_event())

    def breaks(projection: Any, event_type: Any, checked: dict[str, Any], *rest: Any) -> Event:
        if checked.get("name") == "Mallory":
            raise error("Mallory")
        return make_event(projection, event_type, checked, *rest)

    monkeypatch.setattr("neon_projector.projections.contract.decode.make_event", breaks)
    monkeypatch.setattr("neon_projector.projections.contract.fast_event.make_event", breaks)
    decode = Decoder(REGISTRY, new_id=UUID)
    first, second, third = decode.all([good, bad, good])
    assert isinstance(first, Event)
    assert isinstance(third, Event)
    assert isinstance(second, Rejection)
    assert (second.reason, second.error) == (Reason.UNDECODABLE, f"reading it fails with {error.__name__}")
    assert second.type == "user.created"
    assert decode(bad) == decode.carefully(bad) == second
