"""Decides the state of an entity, which is the fold of its events by version, and the outcome of each event.

The definition is in docs/design.md, section 4. One function decides about one entity: its stored state, if any, its
parked events, and the events that arrive.
"""

from collections.abc import Collection, Iterable

import msgspec

from neon_projector.projections.contract.event import Event, Rejection
from neon_projector.projections.contract.outcome import Outcome
from neon_projector.projections.contract.projection import DELETED, PARTIAL, TIMES, Fields
from neon_projector.projections.contract.words.of_states import CONFLICT, ERASED, PARKED_CONFLICT, WRONG_OWNER
from neon_projector.projections.contract.words.of_states import DELETED as GONE
from neon_projector.projections.contract.words.word import Word


class State(msgspec.Struct):
    """An entity at `version`. `fields` is None if it is deleted."""

    version: int
    fields: Fields | None
    erased: bool = False
    changed: bool = False
    """A trigger of an application may have changed the row, so other content at this version is no conflict."""


class Folded(msgspec.Struct):
    """The newest state, whether it differs from the stored one, and the outcome of each event."""

    state: State | None
    changed: bool = False
    applied: list[Event] = []
    superseded: list[Event] = []
    parked: list[Event] = []
    rejected: list[Rejection] = []
    released: dict[Outcome, list[Event]] = {}
    """Events that an earlier transaction parked and that leave the parked events now, by outcome."""


def newest(row: State | None, aside: State | None) -> State | None:
    """The entity's state: the newer one of its row and its state kept aside."""
    if row is None or aside is None:
        return row or aside
    return aside if aside.version > row.version else row


def fold(state: State | None, waiting: Collection[Event], arriving: Iterable[Event]) -> Folded:
    """Apply `arriving` events, in order of arrival, to the stored `state` and its parked events (`waiting`)."""
    folded = Folded(state)
    pending = {event.version: event for event in waiting} if waiting else {}
    stored = set(pending)
    for event in arriving:
        _arrive(folded, pending, stored, event)
    if pending:
        folded.parked = [event for version, event in pending.items() if version not in stored]
    return folded


def _arrive(folded: Folded, pending: dict[int, Event], stored: set[int], event: Event) -> None:
    state = folded.state
    if state is not None and event.version <= state.version:
        _older(folded, state, event)
    elif event.kind is not PARTIAL:
        folded.state = State(event.version, None if event.kind is DELETED else event.fields)
        folded.changed = True
        folded.applied.append(event)
        if pending:
            _drain(folded, pending, stored)
    elif state is not None and event.version == state.version + 1:
        if _extend(folded, state, event):
            folded.applied.append(event)
            _drain(folded, pending, stored)
    elif event.version in pending:
        waiting = pending[event.version]
        if waiting.expects != event.expects or _stated(waiting.fields) != _stated(event.fields):
            folded.rejected.append(_rejection(event, PARKED_CONFLICT))
        else:
            folded.superseded.append(event)
    else:
        pending[event.version] = event


def _older(folded: Folded, state: State, event: Event) -> None:
    """Handle an event at or below the state's version: it changes nothing, but the same version must have the same
    content."""
    if event.version == state.version and _contradicts(state, event):
        folded.rejected.append(_rejection(event, CONFLICT))
    else:
        folded.superseded.append(event)


def _contradicts(state: State, event: Event) -> bool:
    if state.erased:
        return False  # nobody knows the erased content
    if state.fields is None:
        return event.kind is not DELETED
    return event.kind is DELETED or (not state.changed and _differs(state.fields, event))


def _differs(fields: Fields, event: Event) -> bool:
    return any(fields.get(name) != value for name, value in event.fields.items() if name not in TIMES)


def _stated(fields: Fields) -> Fields:
    """Without the times. A publisher may leave them out, and then each sending of the event has others."""
    return {name: value for name, value in fields.items() if name not in TIMES}


def _extend(folded: Folded, state: State, event: Event) -> bool:
    """Apply a partial event to the state of the version before. If that is impossible, reject it and return False."""
    if state.fields is None:
        folded.rejected.append(_rejection(event, ERASED if state.erased else GONE))
        return False
    if any(state.fields[column] != value for column, value in event.expects.items()):
        folded.rejected.append(_rejection(event, WRONG_OWNER))
        return False
    folded.state = State(event.version, {**state.fields, **event.fields})
    folded.changed = True
    return True


def _drain(folded: Folded, pending: dict[int, Event], stored: set[int]) -> None:
    """After a change of state: drop the parked events it overtook, and apply those that follow without a gap."""
    state = folded.state
    assert state is not None
    for version in sorted(pending):
        if version <= state.version:
            event = pending.pop(version)
            contradicts = version == state.version and _contradicts(state, event)
            if contradicts:
                folded.rejected.append(_rejection(event, CONFLICT))
            _leave(folded, stored, event, Outcome.REJECTED if contradicts else Outcome.SUPERSEDED)
        elif version == state.version + 1:
            event = pending.pop(version)
            if _extend(folded, state, event):
                _leave(folded, stored, event, Outcome.APPLIED)
                assert folded.state is not None
                state = folded.state
            else:
                _leave(folded, stored, event, Outcome.REJECTED)


def _leave(folded: Folded, stored: set[int], event: Event, outcome: Outcome) -> None:
    """Record the outcome of an event that is no longer parked. It counts as released if an earlier transaction parked
    it."""
    if event.version in stored:
        stored.discard(event.version)
        folded.released.setdefault(outcome, []).append(event)
    elif outcome is Outcome.APPLIED:
        folded.applied.append(event)
    elif outcome is Outcome.SUPERSEDED:
        folded.superseded.append(event)


def _rejection(event: Event, word: Word) -> Rejection:
    error = word.says.format(version=event.version, before=event.version - 1)
    return Rejection(event.record, word.reasons[0], error, event.event_id, event.source, event.type, event.id)
