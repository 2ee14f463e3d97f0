"""Which parents are there, for one write of their children."""

from collections.abc import Mapping, Set
from uuid import UUID

from neon_projector.consumer.apply.entities.access import Access
from neon_projector.consumer.apply.entities.relations import Relation
from neon_projector.consumer.apply.entities.store import Aside
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

    async def orphans(self, states: Mapping[UUID, Event]) -> dict[UUID, Aside]:
        """Those of the complete `states` that miss a parent, as they are to be kept aside."""
        orphans: dict[UUID, Aside] = {}
        for relation in self.relations:
            column = relation.link.column
            wanted = {i: event.fields[column] for i, event in states.items() if i not in orphans}
            reasons = await self.reasons(relation, set(wanted.values()))
            for entity_id, parent in wanted.items():
                if (reason := reasons[parent]) is not None:
                    state = states[entity_id]
                    row = {"id": entity_id, "version": state.version, **state.fields}
                    orphans[entity_id] = Aside(row, reason, parent)
        return orphans
