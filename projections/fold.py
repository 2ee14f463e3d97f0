"""Sorts a batch's events to their entities, and tells which of them need a look at what is stored."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from uuid import UUID

from projections.event import Decoded, Event, Rejection
from projections.projection import COMPLETE

Events = Mapping[UUID, list[Event]]
"""One entity's events of a batch by id, each in order of arrival."""

TURNS = 3
"""A turn is one statement; a look at what is stored is five or more."""


@dataclass(slots=True)
class Folded:
    """A batch by entity: `events[entity][id]` in order of arrival, and the records that are no events."""

    events: dict[str, dict[UUID, list[Event]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    rejections: list[Rejection] = field(default_factory=list)


def fold(batch: Iterable[Decoded]) -> Folded:
    """Group `batch` by entity and id."""
    folded = Folded()
    events = folded.events
    for decoded in batch:
        if isinstance(decoded, Event):
            events[decoded.entity][decoded.id].append(decoded)
        elif isinstance(decoded, Rejection):
            folded.rejections.append(decoded)
    return folded


def turns(events: Events) -> list[dict[UUID, Event]]:
    """Of each entity whose events are complete states of rising versions the first one; then the second ones; …

    The version guard alone can decide of these, turn by turn. Entities with more than `TURNS` events, or others, are
    in no turn.
    """
    found: list[dict[UUID, Event]] = [first := {}]
    for i, own in events.items():
        if len(own) == 1:
            if own[0].kind is COMPLETE:
                first[i] = own[0]
        elif len(own) <= TURNS and all(e.kind is COMPLETE for e in own) and _rise(own):
            found += [{} for _ in own[len(found) :]]
            for turn, event in zip(found, own, strict=False):
                turn[i] = event
    return found


def _rise(events: list[Event]) -> bool:
    return all(earlier.version < later.version for earlier, later in pairwise(events))
