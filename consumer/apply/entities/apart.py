"""Applies one record that the database has refused, itself or with what it brings along: finds out what is refused.

One record can bring others along: children that waited for it, partial events behind it, a state that wanted the value
it gives up. Each is tried in a savepoint. Of those, what is refused is kept aside again together with what refused it:
a state as `refused`, a partial event as a dead letter of its own. The record itself becomes a dead letter only if it is
refused without any of them.
"""

from collections.abc import Mapping, Set
from uuid import UUID

from neon_projector.consumer.apply.entities.access import Access
from neon_projector.consumer.apply.entities.parents import Parents
from neon_projector.consumer.apply.entities.plan import KeptAside, Written
from neon_projector.consumer.apply.entities.reader import Look
from neon_projector.consumer.apply.entities.relations import Relation
from neon_projector.consumer.apply.entities.resolver import Resolver
from neon_projector.consumer.apply.savepoints import Savepoints
from neon_projector.consumer.apply.unit import Unit
from neon_projector.consumer.errors import BadData
from neon_projector.projections.contract.event import Event, Rejection
from neon_projector.projections.contract.outcome import Outcome, Reason
from neon_projector.projections.state.grouping import Events

MOST_REFUSED = 1_000
"""Once this many children are refused in one transaction, the remaining ones are no longer tried one by one."""


def refusal(event: Event, detail: str) -> Rejection:
    """The rejection of an event that the database refuses; `detail` names what refuses it."""
    names = (event.event_id, event.source, event.type, event.id)
    return Rejection(event.record, Reason.REFUSED_BY_DATABASE, f"the database refuses it: {detail}", *names)


class Apart:
    """One write in Mode.EXCLUSIVE_APART. Call one method, once."""

    def __init__(self, unit: Unit, accesses: Mapping[str, Access], savepoints: Savepoints) -> None:
        self._unit, self._accesses, self._savepoints = unit, accesses, savepoints
        self._connection = unit.connection
        self._written = Written()

    async def write(self, entity: str, events: Events) -> Written:
        """Apply the events of one entity. What the database refuses is in `rejected` and `kept`."""
        access, written = self._accesses[entity], self._written
        try:
            resolver = await self._try(access, events)
        except BadData:
            try:
                resolver = await self._try(access, events, by_itself=True)
            except BadData as refused:
                written.rejected += [refusal(event, refused.detail) for own in events.values() for event in own]
                return written
            resolver.acknowledge(written)
            shown = set(resolver.plan.show)
            for entity_id in events:
                shown |= await self._apply_parked(access, entity_id)
            shown |= await self._show_contested(access, resolver.freeing())
        else:
            resolver.acknowledge(written)
            shown = set(resolver.plan.show)
        await self._release_children(access, list(shown))
        return written

    async def show_again(self, entity: str, entity_id: UUID) -> Written:
        """Try once more to show a state that is kept aside. If it is still refused, it is in `kept`."""
        access = self._accesses[entity]
        await self._release_children(access, list(await self._reconsider(access, entity_id)))
        return self._written

    async def _try(
        self, access: Access, events: Events, reconsider: Set[UUID] = frozenset(), *, by_itself: bool = False
    ) -> Resolver:
        resolver = Resolver(self._unit, access, Parents(self._unit, access))
        async with self._savepoints.tried(self._connection, access.projection.table_name):
            await resolver.resolve(events, reconsider, by_itself=by_itself)
        return resolver

    async def _apply_parked(self, access: Access, entity_id: UUID) -> set[UUID]:
        """Apply the partial events that waited for the entity's new state, one after another. Returns what is shown."""
        written, shown = self._written, set[UUID]()
        found, unreadable = await access.parked.load(self._connection, [entity_id], Look(compared=[entity_id]))
        written.reject_released(unreadable)
        for event in sorted(found.get(entity_id, ()), key=lambda event: event.version):
            one = Written()
            try:
                resolver = await self._try(access, {entity_id: [event]}, by_itself=True)
            except BadData as refused:
                one.rejected.append(refusal(event, refused.detail))
            else:
                if resolver.plan.folded[entity_id].parked:
                    break  # a version between is missing
                shown |= resolver.plan.show.keys()
                resolver.acknowledge(one)
            await access.parked.delete(self._connection, [event])
            written.reject_released([*one.rejected, *one.released_rejections])
            written.released[Outcome.APPLIED] += len(one.applied) + len(one.parked)
            written.released[Outcome.SUPERSEDED] += len(one.superseded)
        return shown

    async def _show_contested(self, access: Access, freeing: Set[UUID]) -> set[UUID]:
        """Show the states that wanted a unique value which one of `freeing` has given up. Returns what is shown."""
        shown = set[UUID]()
        for entity_id in sorted(await access.reader.contested(self._connection, freeing)):
            shown |= await self._reconsider(access, entity_id)
        return shown

    async def _reconsider(self, access: Access, entity_id: UUID) -> set[UUID]:
        """Show a state that is kept aside, and those that this makes possible. Returns what is shown."""
        try:
            resolver = await self._try(access, {entity_id: []}, frozenset([entity_id]), by_itself=True)
        except BadData as refused:
            await access.store.refuse(self._connection, [entity_id], refused.detail)
            self._written.kept.append(KeptAside(access.entity, [entity_id], refused.detail))
            return set()
        self._written.reject_released(resolver.stored.unreadable)
        self._written.released[Outcome.APPLIED] += len(resolver.plan.show)
        return {*resolver.plan.show, *await self._show_contested(access, resolver.freeing())}

    async def _release_children(self, access: Access, ids: list[UUID]) -> None:
        """Show the children that waited for these."""
        relations = access.relations
        for relation in relations.children_of(access.entity) if ids else []:
            children = await relations.to_release(self._connection, relation, ids)
            await self._release(relation, children)

    async def _release(self, relation: Relation, ids: list[UUID]) -> None:
        """Show these children. If the database refuses one of them, try the halves."""
        if not ids:
            return
        child, written = self._accesses[relation.child.entity], self._written
        if sum(len(kept.ids) for kept in written.kept) >= MOST_REFUSED:
            refused = f"not tried, as {MOST_REFUSED} others were refused: {written.kept[-1].error}"
        else:
            try:
                async with self._savepoints.tried(self._connection, relation.child.table_name):
                    await child.relations.release_some(self._connection, relation, ids)
            except BadData as error:
                if len(ids) > 1:
                    await self._release(relation, ids[: len(ids) // 2])
                    await self._release(relation, ids[len(ids) // 2 :])
                    return
                refused = error.detail
            else:
                written.released[Outcome.APPLIED] += len(ids)
                await self._release_children(child, ids)
                return
        await child.store.refuse(self._connection, ids, refused)
        written.kept.append(KeptAside(relation.child.entity, ids, refused))
