"""Groups a batch by entity, and finds the entities that can be written without reading what is stored."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import UUID

from neon_projector.projections.contract.event import Decoded, Event, Ignored, Rejection
from neon_projector.projections.contract.projection import COMPLETE, PARTIAL

Events = Mapping[UUID, list[Event]]
"""The events of one kind of entity in a batch: by id, in order of arrival."""


class CompleteStates(NamedTuple):
    """Entities whose events are complete states of rising versions: the upsert's version check can decide alone."""

    newest: dict[UUID, Event]
    """The newest state of each."""
    oldest: dict[UUID, int]
    """The first version of each entity that has several states in the batch."""


class Change(NamedTuple):
    """What consecutive partial events change together. It applies only to a state at version `base`."""

    base: int
    version: int
    fields: Mapping[str, Any]


@dataclass(slots=True)
class Grouped:
    """A batch by entity: `events[entity][id]` in order of arrival, and the records that are no events."""

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
    """Find the entities whose events are complete states of rising versions.

    Only the newest state is written. If the stored version is below the oldest one, all these events are applied.
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
    """Merge the partial events of each entity whose versions have no gap and that set only `columns`."""
    found = {}
    for i, own in events.items():
        if own[0].kind is PARTIAL and all(e.kind is PARTIAL and not e.expects for e in own) and _follow(own):
            fields = own[0].fields if len(own) == 1 else {c: v for event in own for c, v in event.fields.items()}
            if all(column in columns for column in fields):
                found[i] = Change(own[0].version - 1, own[-1].version, fields)
    return found


def ids_setting(events: Events, columns: Collection[str]) -> list[UUID]:
    """The entities with an event that sets one of `columns`."""
    found = dict[UUID, None]()
    for column in columns:
        found |= {i: None for i, own in events.items() for event in own if column in event.fields}
    return list(found)


def _follow(events: list[Event]) -> bool:
    return all(earlier.version + 1 == later.version for earlier, later in pairwise(events))


def _rise(events: list[Event]) -> bool:
    return all(earlier.version < later.version for earlier, later in pairwise(events))
