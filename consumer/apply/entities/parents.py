"""Which parents are there, for one write of their children."""

from collections.abc import Mapping, Set
from uuid import UUID

from neon_projector.consumer.apply.entities.access import Access
from neon_projector.consumer.apply.entities.relations import Relation
from neon_projector.consumer.apply.unit import Unit
from neon_projector.projections.contract.event import Event


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

    async def present(self, states: dict[UUID, Event]) -> dict[UUID, Event]:
        """Those of the complete `states` whose parents are all there."""
        for relation in self.relations:
            column = relation.link.column
            reasons = await self.reasons(relation, {event.fields[column] for event in states.values()})
            states = {i: event for i, event in states.items() if reasons[event.fields[column]] is None}
        return states
