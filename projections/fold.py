"""Sorts a batch's events to their entities, and tells which of them need a look at what is stored."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from projections.event import Decoded, Event, Rejection
from projections.projection import Kind


@dataclass(slots=True)
class Folded:
    """A batch by entity: `events[entity][id]` in order of arrival, and the records that are no events."""

    events: dict[str, dict[UUID, list[Event]]] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)


def fold(batch: Iterable[Decoded]) -> Folded:
    """Group `batch` by entity and id."""
    folded = Folded()
    for decoded in batch:
        if isinstance(decoded, Event):
            folded.events.setdefault(decoded.entity, {}).setdefault(decoded.id, []).append(decoded)
        elif isinstance(decoded, Rejection):
            folded.rejections.append(decoded)
    return folded


def is_plain(events: list[Event]) -> bool:
    """Whether an entity's events are one complete, living state: the version guard alone can then decide."""
    return len(events) == 1 and events[0].kind is Kind.COMPLETE
