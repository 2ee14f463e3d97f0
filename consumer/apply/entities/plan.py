"""What one write of an entity has in hand: what is stored, what is to be done, and what became of the events."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from neon_projector.consumer.apply.entities import parked as parked_events
from neon_projector.consumer.apply.entities.store import Aside, Look, Row
from neon_projector.projections.contract.event import Event, Rejection
from neon_projector.projections.contract.outcome import Outcome
from neon_projector.projections.state.fold import Folded, State


class KeptAside(NamedTuple):
    """States that waited and that the database refuses: they are kept aside as `refused`."""

    entity: str
    ids: list[UUID]
    error: str
    """What refuses them: names, and nothing of an event."""


@dataclass(slots=True)
class Written:
    """What became of the events: each one in exactly one of these. `released` had been parked before."""

    applied: list[Event] = field(default_factory=list)
    superseded: list[Event] = field(default_factory=list)
    parked: list[Event] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    released: Counter[Outcome] = field(default_factory=Counter)
    released_rejections: list[Rejection] = field(default_factory=list)
    kept: list[KeptAside] = field(default_factory=list)


@dataclass(slots=True)
class Stored:
    """What the database has of the entities in hand."""

    absent: dict[UUID, State] = field(default_factory=dict)
    waiting: dict[UUID, list[Event]] = field(default_factory=dict)
    rows: dict[UUID, State] = field(default_factory=dict)
    look: Look = field(default_factory=Look)
    """What to look at, besides the stored states."""
    unreadable: list[Rejection] = field(default_factory=list)
    """Events that were parked, and are rejected now."""
    parents: dict[str, dict[UUID, str | None]] = field(default_factory=dict)
    """By column, those that were looked for; of one that is missing the reason why its children are kept aside."""

    def shown(self, entity_id: UUID, column: str) -> Any:
        """What the row in the table has there; None where there is no row. A parent it names is there, too: the foreign
        key knows."""
        row = self.rows.get(entity_id)
        return None if row is None or row.fields is None else row.fields[column]


@dataclass(slots=True)
class Plan:
    """Where the changed states go: to the table, or aside (then a row that is there may have to go)."""

    settled: dict[UUID, Folded]
    show: dict[UUID, Row] = field(default_factory=dict)
    aside: dict[UUID, Aside] = field(default_factory=dict)
    remove: list[UUID] = field(default_factory=list)

    def keeps_aside(self) -> bool:
        return bool(self.aside) or any(one.parked for one in self.settled.values())


def leaving(plan: Plan, stored: Stored, reason: str) -> list[UUID]:
    """Who is kept aside so that its children are, for `reason`; a contested one whose row stays is not."""
    return [
        i
        for i, aside in plan.aside.items()
        if (aside.reason in ("deleted", "parent_deleted")) == (reason == "parent_deleted")
        and not (aside.reason == "contested" and i in stored.rows)
    ]


def acknowledge(plan: Plan, written: Written) -> None:
    """Count every event as what it became; one that moved a state which waits is parked with it."""
    for i, one in plan.settled.items():
        aside = plan.aside.get(i)
        waits = aside is not None and aside.reason != "deleted"
        (written.parked if waits else written.applied).extend(one.applied)
        if one.superseded or one.parked:
            written.superseded.extend(one.superseded)
            written.parked.extend(one.parked)
        for rejection in one.rejected:
            late = isinstance(rejection.record, parked_events.ParkedRecord)
            (written.released_rejections if late else written.rejected).append(rejection)
        if one.released:
            written.released.update({outcome: len(events) for outcome, events in one.released.items()})
        if not one.changed and i in plan.show:
            written.released[Outcome.APPLIED] += 1
