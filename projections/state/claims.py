"""Who has which unique value (an e-mail address), event by event."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from neon_projector.projections.contract.projection import Fields, Projection
from neon_projector.projections.state.fold import State
from neon_projector.projections.state.unique_values import denied


class Claims:
    """The shown states of one projection's entities, and those that wait for a value which another one has."""

    def __init__(self, projection: Projection) -> None:
        self._columns = projection.unique
        self.shown: dict[UUID, State] = {}
        self.contested: dict[UUID, UUID] = {}
        """By entity, who has the value that it wants; in the order in which they began to wait."""
        self._wanted: dict[UUID, State] = {}
        self._holders: dict[str, dict[Any, UUID]] = {column: {} for column in self._columns}

    def settle(self, entity_id: UUID, state: State) -> None:
        """The entity has this state now; whoever can be shown is shown."""
        if state.fields is None:
            self._forget([entity_id])
            self._wanted.pop(entity_id, None)
        else:
            self._wanted[entity_id] = state
        self.contested = self._denied()
        granted = [i for i in self._wanted if i not in self.contested]
        self._forget(granted)
        for one in granted:
            self.shown[one] = shown = self._wanted.pop(one)
            for column in self._columns:
                self._holders[column][_fields(shown)[column]] = one

    def _denied(self) -> dict[UUID, UUID]:
        lost = dict[UUID, UUID]()
        for column in self._columns:
            wanted = {i: _fields(state)[column] for i, state in self._wanted.items() if i not in lost}
            holders = self._holders[column]
            lost |= denied(
                wanted, {value: holders[value] for value in wanted.values() if value in holders}, frozenset()
            )
        return {i: lost[i] for i in self._wanted if i in lost}

    def _forget(self, ids: Iterable[UUID]) -> None:
        for one in ids:
            if (state := self.shown.pop(one, None)) is not None:
                for column in self._columns:
                    del self._holders[column][_fields(state)[column]]


def _fields(state: State) -> Fields:
    assert state.fields is not None
    return state.fields
