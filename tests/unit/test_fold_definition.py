"""What is stored equals the definition after every batch: the fold, by version, of all events that have come so far.

The definition is written down here a second time, in its simplest form, and any events are thrown at both: also with
gaps, transfers from somebody who is not the owner, and changes of what is deleted.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neon_projector.projections.contract.event import Event, Rejection
from neon_projector.projections.contract.outcome import Outcome, Reason
from neon_projector.projections.contract.projection import Fields, Kind
from neon_projector.projections.state.fold import State, fold, newest
from tests.support.factories import ARecord

ID = uuid4()


def an_event(version: int, kind: Kind, owner: int | None, expected: int | None) -> Event:
    fields: dict[str, Any] = {} if kind is Kind.DELETED else {"name": f"n{version}"}
    if kind is Kind.COMPLETE:
        fields |= {"owner": owner or 0, "title": f"t{version}"}
    elif kind is Kind.PARTIAL and owner is not None:
        fields |= {"owner": owner}
    expects = {"owner": expected} if kind is Kind.PARTIAL and expected is not None else {}
    return Event("document", ID, version, kind, "t", fields, f"e{version}", "/tests", ARecord(b""), expects)


owners = st.none() | st.integers(0, 2)
kinds = st.sampled_from([Kind.COMPLETE, Kind.PARTIAL, Kind.PARTIAL, Kind.PARTIAL, Kind.DELETED])
events = st.lists(
    st.builds(an_event, st.integers(1, 10), kinds, owners, owners), unique_by=lambda e: e.version, max_size=10
)


def defined(received: Iterable[Event]) -> State | None:
    """Start at the highest complete event, then apply the partial ones that follow without a gap."""
    by_version = {event.version: event for event in received}
    complete = [version for version, event in by_version.items() if event.kind is not Kind.PARTIAL]
    if not complete:
        return None
    version = max(complete)
    start = by_version[version]
    fields: Fields | None = None if start.kind is Kind.DELETED else start.fields
    while fields is not None and (following := by_version.get(version + 1)):
        if any(fields[column] != value for column, value in following.expects.items()):
            break
        version, fields = version + 1, {**fields, **following.fields}
    return State(version, fields)


def batches_of(data: st.DataObject, arriving: Sequence[Event]) -> list[Sequence[Event]]:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(arriving)), max_size=5)))
    return [arriving[a:b] for a, b in zip([0, *cuts], [*cuts, len(arriving)], strict=True)]


@settings(max_examples=500, deadline=None)
@given(data=st.data(), history=events)
def test_after_every_batch_the_state_is_the_definition(data: st.DataObject, history: list[Event]) -> None:
    again = data.draw(st.lists(st.sampled_from(history), max_size=4)) if history else []
    state: State | None = None
    waiting: list[Event] = []
    received: list[Event] = []
    for batch in batches_of(data, data.draw(st.permutations(history + again))):
        folded = fold(state, waiting, batch)
        received += batch
        assert folded.state == defined(received)
        assert folded.changed == (folded.state != state)
        left = [event for events in folded.released.values() for event in events]
        assert all(event in waiting for event in left)
        state, waiting = folded.state, [event for event in waiting if event not in left] + folded.parked
        assert all(state is None or event.version > state.version for event in waiting)


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("complete_first", [True, False])
def test_two_events_of_one_version_agree_or_one_is_in_conflict_in_any_order(
    same: bool, apart: bool, complete_first: bool
) -> None:
    complete, partial = an_event(3, Kind.COMPLETE, 1, None), an_event(3, Kind.PARTIAL, 1 if same else 2, None)
    arriving = [complete, partial] if complete_first else [partial, complete]
    state, waiting = None, list[Event]()
    reasons: list[Reason] = []
    for batch in [arriving[:1], arriving[1:]] if apart else [arriving]:
        folded = fold(state, waiting, batch)
        state, waiting = folded.state, folded.parked
        reasons += [rejection.reason for rejection in folded.rejected]
    assert state == State(3, complete.fields)
    assert reasons == ([] if same else [Reason.VERSION_CONFLICT])


@settings(max_examples=500, deadline=None)
@given(data=st.data(), history=events)
def test_every_event_becomes_exactly_one_thing_and_a_parked_one_is_released_once(
    data: st.DataObject, history: list[Event]
) -> None:
    state: State | None = None
    waiting: list[Event] = []
    for batch in batches_of(data, data.draw(st.permutations(history))):
        folded = fold(state, waiting, batch)
        released = folded.released.get(Outcome.REJECTED, [])
        became: list[Event | Rejection] = [*folded.applied, *folded.superseded, *folded.parked, *folded.rejected]
        assert Counter(one.event_id for one in became) == Counter(event.event_id for event in (*batch, *released))
        gone = [event for events in folded.released.values() for event in events]
        assert len({event.version for event in gone}) == len(gone)
        state, waiting = folded.state, [event for event in waiting if event not in gone] + folded.parked


def test_of_the_row_shown_and_the_state_kept_aside_the_newer_one_is_the_entitys() -> None:
    row, older, newer = State(2, {"name": "Ada"}), State(1, None), State(3, {"name": "Bob"})
    assert newest(None, None) is None
    assert newest(row, None) is newest(None, row) is row
    assert newest(row, older) is row
    assert newest(row, newer) is newer
