"""What one write of an entity has in hand: what is stored, what is to be done, and what became of the events."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from neon_projector.consumer.apply.entities.store import Aside, Row
from neon_projector.projections.contract.event import Event, Rejection
from neon_projector.projections.contract.outcome import Outcome
from neon_projector.projections.contract.record import RecordPlace
from neon_projector.projections.state.fold import Folded, State


class KeptAside(NamedTuple):
    """States that waited and that the database refuses. They are kept aside as `refused`."""

    entity: str
    ids: list[UUID]
    error: str
    """What refuses them: names, and nothing of an event."""


@dataclass(slots=True)
class Written:
    """What became of the events. Each is in exactly one of `applied`, `superseded`, `parked` and `rejected`."""

    applied: list[Event] = field(default_factory=list)
    superseded: list[Event] = field(default_factory=list)
    parked: list[Event] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    released: Counter[Outcome] = field(default_factory=Counter)
    """What became of events and states that had waited since an earlier transaction."""
    released_rejections: list[Rejection] = field(default_factory=list)
    kept: list[KeptAside] = field(default_factory=list)

    def reject_released(self, rejections: list[Rejection]) -> None:
        """Count these, of events that an earlier transaction parked."""
        self.released_rejections += rejections
        self.released[Outcome.REJECTED] += len(rejections)


@dataclass(slots=True)
class Stored:
    """What the database has of the entities in hand."""

    absent: dict[UUID, State] = field(default_factory=dict)
    waiting: dict[UUID, list[Event]] = field(default_factory=dict)
    rows: dict[UUID, State] = field(default_factory=dict)
    unreadable: list[Rejection] = field(default_factory=list)
    """Parked events that today's contract rejects."""

    def shown(self, entity_id: UUID, column: str) -> Any:
        """The value in the table's row; None if there is no row. A parent named there exists: the foreign key says
        so."""
        row = self.rows.get(entity_id)
        return None if row is None or row.fields is None else row.fields[column]


@dataclass(slots=True)
class Plan:
    """Where the changed states go: to the table, or aside. A row of a state that goes aside may have to be removed."""

    folded: dict[UUID, Folded] = field(default_factory=dict)
    show: dict[UUID, Row] = field(default_factory=dict)
    aside: dict[UUID, Aside] = field(default_factory=dict)
    remove: list[UUID] = field(default_factory=list)

    def keeps_aside(self) -> bool:
        return bool(self.aside) or any(outcome.parked for outcome in self.folded.values())

    def leaving(self, stored: Stored, reason: str) -> list[UUID]:
        """The entities whose children have to be kept aside too, for `reason` (`parent_deleted` or `no_parent`). A
        contested entity whose row stays keeps its children."""
        return [
            entity_id
            for entity_id, aside in self.aside.items()
            if (aside.reason in ("deleted", "parent_deleted")) == (reason == "parent_deleted")
            and not (aside.reason == "contested" and entity_id in stored.rows)
        ]

    def acknowledge(self, written: Written) -> None:
        """Count every event as what it became. One that changed a state which waits counts as parked."""
        for entity_id, outcome in self.folded.items():
            aside = self.aside.get(entity_id)
            waits = aside is not None and aside.reason != "deleted"
            (written.parked if waits else written.applied).extend(outcome.applied)
            if outcome.superseded or outcome.parked:
                written.superseded.extend(outcome.superseded)
                written.parked.extend(outcome.parked)
            for rejection in outcome.rejected:
                late = isinstance(rejection.record, RecordPlace)
                (written.released_rejections if late else written.rejected).append(rejection)
            if outcome.released:
                written.released.update({became: len(events) for became, events in outcome.released.items()})
            if not outcome.changed and entity_id in self.show:
                written.released[Outcome.APPLIED] += 1
