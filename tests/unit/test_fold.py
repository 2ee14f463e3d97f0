"""An entity's state is the fold of its events by version, whatever the order in which they come."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neon_projector.projections.contract.event import Event, Rejection
from neon_projector.projections.contract.outcome import Outcome, Reason
from neon_projector.projections.contract.projection import Kind
from neon_projector.projections.state.fold import Folded, State, fold
from tests.support.factories import ARecord

ID = uuid4()


def event(version: int, kind: Kind = Kind.PARTIAL, expects: dict[str, Any] | None = None, **fields: Any) -> Event:
    return Event("user", ID, version, kind, "t", fields, f"e{version}", "/tests", ARecord(b""), expects or {})


def complete(version: int, **fields: Any) -> Event:
    both: dict[str, Any] = {"name": "Ada", "owner": 1} | fields
    return event(version, Kind.COMPLETE, **both)


def deleted(version: int) -> Event:
    return event(version, Kind.DELETED)


def reasons(folded: Folded) -> list[Reason]:
    return [rejection.reason for rejection in folded.rejected]


ADA = State(1, {"name": "Ada", "owner": 1})
GONE = State(3, None)
ERASED = State(3, None, erased=True)


def test_a_complete_event_is_the_state() -> None:
    folded = fold(None, [], [first := complete(1)])
    assert (folded.state, folded.changed, folded.applied) == (ADA, True, [first])


def test_a_partial_event_changes_what_it_names() -> None:
    folded = fold(ADA, [], [event(2, name="Bob")])
    assert folded.state == State(2, {"name": "Bob", "owner": 1})


def test_a_partial_event_and_its_base_may_share_a_batch_in_any_order() -> None:
    folded = fold(None, [], [second := event(2, name="Bob"), first := complete(1)])
    assert folded.state == State(2, {"name": "Bob", "owner": 1})
    assert (folded.applied, folded.parked) == ([first, second], [])


def test_a_partial_event_before_its_base_is_parked_and_then_released() -> None:
    parked = fold(None, [], [second := event(2, name="Bob")])
    assert (parked.state, parked.changed, parked.parked) == (None, False, [second])
    folded = fold(None, parked.parked, [first := complete(1)])
    assert folded.state == State(2, {"name": "Bob", "owner": 1})
    assert (folded.applied, folded.released) == ([first], {Outcome.APPLIED: [second]})


def test_a_gap_is_waited_for() -> None:
    folded = fold(ADA, [third := event(3, name="Cid")], [fifth := event(5, name="Eve")])
    assert (folded.state, folded.changed, folded.parked, folded.released) == (ADA, False, [fifth], {})
    folded = fold(ADA, [third, fifth], [event(2, name="Bob")])
    assert folded.state == State(3, {"name": "Cid", "owner": 1})
    assert folded.released == {Outcome.APPLIED: [third]}


def test_a_complete_event_overtakes_what_waits_below_it() -> None:
    folded = fold(ADA, [third := event(3, name="Cid"), fifth := event(5, name="Eve")], [complete(4)])
    assert folded.state == State(5, {"name": "Eve", "owner": 1})
    assert folded.released == {Outcome.SUPERSEDED: [third], Outcome.APPLIED: [fifth]}


def test_what_waits_at_the_version_of_a_complete_event_must_say_the_same() -> None:
    waiting = [third := event(3, name="Cid")]
    assert fold(ADA, waiting, [complete(3, name="Cid")]).released == {Outcome.SUPERSEDED: [third]}
    folded = fold(ADA, waiting, [complete(3, name="Dan")])
    assert (folded.released, reasons(folded)) == ({Outcome.REJECTED: [third]}, [Reason.VERSION_CONFLICT])


@pytest.mark.parametrize("late", [complete(2, name="Old"), event(2, name="Old"), deleted(2)])
@pytest.mark.parametrize("state", [State(3, {"name": "New", "owner": 1}), GONE, ERASED])
def test_an_older_event_changes_nothing(state: State, late: Event) -> None:
    folded = fold(state, [], [late])
    assert (folded.state, folded.changed, folded.superseded) == (state, False, [late])


def test_the_same_version_twice_changes_nothing() -> None:
    for state, again in [(ADA, complete(1)), (ADA, event(1, name="Ada")), (GONE, deleted(3))]:
        folded = fold(state, [], [again])
        assert (folded.state, folded.changed, folded.superseded, folded.rejected) == (state, False, [again], [])


@pytest.mark.parametrize(
    ("state", "other"),
    [
        (ADA, complete(1, name="Bob")),
        (ADA, event(1, name="Bob")),
        (ADA, deleted(1)),
        (GONE, complete(3)),
        (GONE, event(3, name="Ada")),
    ],
)
def test_the_same_version_with_other_content_is_a_conflict(state: State, other: Event) -> None:
    folded = fold(state, [], [other])
    assert (folded.state, folded.changed, reasons(folded)) == (state, False, [Reason.VERSION_CONFLICT])


@pytest.mark.parametrize("again", [complete(3), event(3, name="Ada"), deleted(3)])
def test_of_an_erased_state_nobody_can_tell_a_conflict(again: Event) -> None:
    folded = fold(ERASED, [], [again])
    assert (folded.state, folded.superseded, folded.rejected) == (ERASED, [again], [])


@pytest.mark.parametrize(
    "other",
    [
        event(3, name="Cid"),
        event(3, name="Bob", content=None),
        event(3, owner=1),
        event(3, name="Bob", expects={"owner": 2}),
    ],
)
def test_what_waits_is_a_conflict_with_other_content_of_its_version(other: Event) -> None:
    waiting = [event(3, name="Bob")]
    folded = fold(ADA, waiting, [other])
    assert (folded.parked, reasons(folded)) == ([], [Reason.VERSION_CONFLICT])
    assert fold(ADA, waiting, [again := event(3, name="Bob")]).superseded == [again]


def test_a_deleted_entity_comes_back_by_a_higher_complete_event_only() -> None:
    assert fold(GONE, [], [complete(2)]).state == GONE
    assert fold(GONE, [], [complete(5, name="Ida")]).state == State(5, {"name": "Ida", "owner": 1})


@pytest.mark.parametrize(("state", "reason"), [(GONE, Reason.DELETED), (ERASED, Reason.ERASED)])
def test_a_partial_event_on_what_is_gone_is_rejected(state: State, reason: Reason) -> None:
    folded = fold(state, [fifth := event(5, name="Eve")], [event(4, name="Bob")])
    assert (folded.state, reasons(folded), folded.released) == (state, [reason], {})
    assert fold(state, [fifth], []).parked == []


def test_a_transfer_from_another_than_the_owner_is_rejected_and_leaves_a_gap() -> None:
    lie, after = event(2, owner=3, expects={"owner": 2}), event(3, name="Bob")
    folded = fold(ADA, [], [after, lie])
    assert (folded.state, reasons(folded), folded.parked) == (ADA, [Reason.WRONG_OWNER], [after])
    assert fold(ADA, [], [event(2, owner=3, expects={"owner": 1})]).state == State(2, {"name": "Ada", "owner": 3})


def test_a_parked_event_that_turns_out_bad_is_released_as_rejected() -> None:
    folded = fold(None, [lie := event(2, owner=3, expects={"owner": 2})], [first := complete(1)])
    assert folded.released == {Outcome.REJECTED: [lie]}
    assert (folded.applied, reasons(folded), folded.state) == ([first], [Reason.WRONG_OWNER], ADA)


def test_a_rejection_says_which_event_it_was() -> None:
    (rejection,) = fold(GONE, [], [event(4, name="Bob")]).rejected
    assert (rejection.event_id, rejection.source, rejection.type, rejection.entity_id) == ("e4", "/tests", "t", ID)


def test_what_is_given_is_not_changed() -> None:
    base = complete(1)
    fold(None, [], [base, event(2, name="Bob")])
    assert base.fields == {"name": "Ada", "owner": 1}


def made(what: str, version: int, owner: int) -> Event:
    match what:
        case "complete":
            return complete(version, name=f"n{version}", owner=version)
        case "partial":
            return event(version, name=f"n{version}")
        case "transfer":
            return event(version, owner=version, expects={"owner": owner})
        case _:
            return deleted(version)


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """What one publisher may send about one entity, by version: it begins with `created`, also after a deletion."""
    history: list[Event] = []
    alive = False
    for version in range(1, draw(st.integers(1, 9)) + 1):
        what = draw(st.sampled_from(["complete", "partial", "partial", "transfer", "deleted"])) if alive else "complete"
        owner = next((e.fields["owner"] for e in reversed(history) if "owner" in e.fields), 0)
        history.append(made(what, version, owner))
        alive = what != "deleted"
    return history


def names(events: Sequence[Event | Rejection]) -> Counter[str | None]:
    return Counter(one.event_id for one in events)


def fed(batches: Sequence[Sequence[Event]]) -> tuple[State | None, list[Event], Counter[str]]:
    """State, what waits and how often each outcome was told, after settling the batches one by one."""
    state: State | None = None
    waiting: list[Event] = []
    told: Counter[str] = Counter()
    for batch in batches:
        folded = fold(state, waiting, batch)
        gone = [e for events in folded.released.values() for e in events]
        late = [r for r in folded.rejected if any(r.event_id == e.event_id for e in gone)]
        told_of: list[Event | Rejection] = [*folded.applied, *folded.superseded, *folded.parked, *folded.rejected]
        assert names(told_of) - names(late) == names(batch)
        told.update(Reason(r.reason) for r in folded.rejected)
        state = folded.state
        waiting = [e for e in waiting if e not in gone] + folded.parked
    return state, waiting, told


@settings(max_examples=300, deadline=None)
@given(data=st.data(), history=histories())
def test_no_order_repetition_or_cut_into_batches_matters(data: st.DataObject, history: list[Event]) -> None:
    in_order, waiting, rejected = fed([[one] for one in history])
    assert (waiting, rejected) == ([], Counter())
    again = data.draw(st.lists(st.sampled_from(history), max_size=5))
    shuffled = data.draw(st.permutations(history + again))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(shuffled)), max_size=4)))
    batches = [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]
    state, waiting, rejected = fed(batches)
    assert (state, waiting) == (in_order, [])
    assert rejected == Counter()


@settings(max_examples=200, deadline=None)
@given(data=st.data(), history=histories())
def test_with_any_events_lost_the_order_does_not_matter_either(data: st.DataObject, history: list[Event]) -> None:
    left = data.draw(st.lists(st.sampled_from(history), unique_by=lambda e: e.version))
    in_order, waits, _ = fed([sorted(left, key=lambda e: e.version)])
    state, waiting, _ = fed([[one] for one in left])
    assert state == in_order
    assert {e.version for e in waiting} == {e.version for e in waits}
