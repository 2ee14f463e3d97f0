"""Which parents are there, for one write of their children."""

from collections.abc import Callable, Mapping, Set
from typing import NamedTuple
from uuid import UUID

from neon_projector.consumer.apply.entities.access import Access
from neon_projector.consumer.apply.entities.relations import Relation
from neon_projector.consumer.apply.unit import Unit


class Orphan(NamedTuple):
    """Why a child is kept aside, and the parent that it waits for."""

    reason: str
    parent: UUID


class Parents:
    """Looks each parent up once: nothing in this transaction adds or removes one while its children are written."""

    def __init__(self, unit: Unit, access: Access) -> None:
        self._unit, self._access = unit, access
        self.relations = access.relations.parents_of(access.entity)
        self._known: dict[str, dict[UUID, str | None]] = {}
        """By column."""

    async def reasons(self, relation: Relation, ids: Set[UUID]) -> Mapping[UUID, str | None]:
        """For each of the parents `ids` that is missing, the reason for which its children are kept aside; else None.
        Parents that were asked for earlier are there, too."""
        known = self._known.setdefault(relation.link.column, {})
        to_look_up = ids - known.keys()
        missing = await self._access.relations.missing_parents(self._unit.connection, relation, to_look_up)
        known |= dict.fromkeys(to_look_up) | missing
        return known

    async def orphans(self, wanted_by: Callable[[str], Mapping[UUID, UUID]]) -> dict[UUID, Orphan]:
        """Who misses a parent. `wanted_by` gives for a column the parents that have to be there, by the child's id."""
        orphans: dict[UUID, Orphan] = {}
        for relation in self.relations:
            wanted = {i: parent for i, parent in wanted_by(relation.link.column).items() if i not in orphans}
            reasons = await self.reasons(relation, set(wanted.values()))
            orphans |= {i: Orphan(reason, p) for i, p in wanted.items() if (reason := reasons[p]) is not None}
        return orphans
