"""Sorts a batch's events to their entities, and tells which of them need a look at what is stored."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import UUID

from neon_projector.projections.contract.event import Decoded, Event, Ignored, Rejection
from neon_projector.projections.contract.projection import COMPLETE, PARTIAL

Events = Mapping[UUID, list[Event]]
"""One entity's events of a batch by id, each in order of arrival."""


class CompleteStates(NamedTuple):
    """Entities of which the version guard alone can decide: their newest states of a batch."""

    newest: dict[UUID, Event]
    oldest: dict[UUID, int]
    """Of those that have several states in the batch, the version of the first one."""


class Change(NamedTuple):
    """What partial events of one entity change together: on the state at `base` only."""

    base: int
    version: int
    fields: Mapping[str, Any]


@dataclass(slots=True)
class Grouped:
    """A batch by entity: `events[entity][id]` in order of arrival, and the records that are no events of ours."""

    events: dict[str, dict[UUID, list[Event]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    rejections: list[Rejection] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)


def group(batch: Iterable[Decoded]) -> Grouped:
    """Group `batch` by entity and id."""
    grouped = Grouped()
    events = grouped.events
    for decoded in batch:
        if isinstance(decoded, Event):
            events[decoded.entity][decoded.id].append(decoded)
        elif isinstance(decoded, Rejection):
            grouped.rejections.append(decoded)
        else:
            grouped.ignored.append(decoded)
    return grouped


def complete_states(events: Events) -> CompleteStates:
    """The entities whose events are complete states of rising versions.

    Only the newest of them need be written; where what is stored is older than the oldest, all count as applied.
    """
    found = CompleteStates({}, {})
    for i, own in events.items():
        if len(own) == 1:
            if own[0].kind is COMPLETE:
                found.newest[i] = own[0]
        elif all(event.kind is COMPLETE for event in own) and _rise(own):
            found.newest[i] = own[-1]
            found.oldest[i] = own[0].version
    return found


def merged_changes(events: Events, columns: Collection[str]) -> dict[UUID, Change]:
    """Of the entities whose events are partial, of versions without a gap, and set only `columns`: what they change."""
    found = {}
    for i, own in events.items():
        if own[0].kind is PARTIAL and all(e.kind is PARTIAL and not e.expects for e in own) and _follow(own):
            fields = own[0].fields if len(own) == 1 else {c: v for event in own for c, v in event.fields.items()}
            if all(column in columns for column in fields):
                found[i] = Change(own[0].version - 1, own[-1].version, fields)
    return found


def ids_setting(events: Events, columns: Collection[str]) -> list[UUID]:
    """The entities of which an event sets one of these `columns`."""
    if not columns:
        return []
    return [i for i, own in events.items() if any(column in event.fields for event in own for column in columns)]


def _follow(events: list[Event]) -> bool:
    return all(earlier.version + 1 == later.version for earlier, later in pairwise(events))


def _rise(events: list[Event]) -> bool:
    return all(earlier.version < later.version for earlier, later in pairwise(events))
