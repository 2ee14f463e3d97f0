"""The tables in memory: what the service would show if each event came by itself, in this order."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import Parent, Projection, Registry
from neon_projector.projections.state.claims import Claims
from neon_projector.projections.state.fold import Folded, State, fold

Row = dict[str, Any]
"""Columns and their values, as the driver returns them: UUID, datetime with a zone, str, bool, int."""


@dataclass
class Known:
    """What has come of one entity."""

    state: State | None = None
    newest: Event | None = None
    """The event that made its state."""
    parked: dict[int, Event] = field(default_factory=dict)
    """By version, the partial events that wait for an earlier one."""


class Memory:
    """Give it one event after the other. The grace after which hidden entities are erased does not pass."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.known: dict[str, dict[UUID, Known]] = {projection.entity: {} for projection in registry}
        self.claims = {projection.entity: Claims(projection) for projection in registry if projection.unique}

    def take(self, event: Event) -> Folded:
        """What becomes of the event, and of those that waited for it (`released`, `rejected`)."""
        own = self.known[event.entity].setdefault(event.id, Known())
        folded = fold(own.state, own.parked.values(), [event])
        own.state = folded.state
        for one in (one for left in folded.released.values() for one in left):
            del own.parked[one.version]
        own.parked |= {one.version: one for one in folded.parked}
        if folded.changed:
            assert folded.state is not None
            own.newest = max((e for e in (event, *_applied(folded)) if e.version <= folded.state.version), key=_version)
            if event.entity in self.claims:
                self.claims[event.entity].settle(event.id, folded.state)
        return folded

    def shown(self, entity: str, entity_id: UUID) -> State | None:
        """The state that its table shows; None where it shows none."""
        if entity in self.claims:
            return self.claims[entity].shown.get(entity_id)
        own = self.known[entity].get(entity_id)
        if own is None or own.state is None or own.state.fields is None:
            return None
        return None if self.missing(self._registry[entity], own.state) else own.state

    def missing(self, projection: Projection, state: State) -> Parent | None:
        """The first parent that is not shown; None where all are."""
        fields = state.fields or {}
        return next((one for one in projection.parents if self.shown(one.entity, fields[one.column]) is None), None)

    def rows(self, projection: Projection) -> Iterator[Row]:
        """What the projection's table shows, in the order in which the entities first came."""
        for entity_id in self.known[projection.entity]:
            if (state := self.shown(projection.entity, entity_id)) is not None:
                yield row_of(projection, entity_id, state)


def row_of(projection: Projection, entity_id: UUID, state: State) -> Row:
    """The state as a row, its columns in the table's order."""
    values = {"id": entity_id, "version": state.version, **(state.fields or {})}
    return {column: values[column] for column in projection.columns if column in values}


def _applied(folded: Folded) -> list[Event]:
    return [*folded.applied, *(one for left in folded.released.values() for one in left)]


def _version(event: Event) -> int:
    return event.version
