"""Applies one record of which or by which the database has refused something: who is refused is found, and nobody else.

One record can bring others along: children that waited for it, partial events behind it, a state that wanted the value
it gives up. Each is tried in a savepoint. What is refused of those goes back aside, with what refused it: a state as
`refused`, a partial event as a dead letter of its own. The record itself is a dead letter only where it is refused
without any of them.
"""

from collections.abc import Set
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.apply.entities.plan import KeptAside, Plan, Stored, Written, acknowledge
from neon_projector.consumer.apply.entities.relations import Relation, Relations
from neon_projector.consumer.apply.entities.store import Look
from neon_projector.consumer.apply.entities.writer import EntityWriter
from neon_projector.consumer.apply.lock import Entered
from neon_projector.consumer.apply.savepoints import Savepoints
from neon_projector.consumer.errors import BadData
from neon_projector.projections.contract.event import Event, Rejection
from neon_projector.projections.contract.outcome import Outcome, Reason
from neon_projector.projections.state.grouping import Events

MOST_REFUSED = 1_000
"""When so many children are refused in one transaction, those that are left are not tried one by one any more."""


def refusal(event: Event, detail: str) -> Rejection:
    """The rejection of an event that the database refuses."""
    names = (event.event_id, event.source, event.type, event.id)
    return Rejection(event.record, Reason.REFUSED_BY_DATABASE, f"the database refuses it: {detail}", *names)


class Apart:
    """Writes as an EntityWriter does, in Mode.EXCLUSIVE_APART."""

    def __init__(self, writers: dict[str, EntityWriter], family: Relations, savepoints: Savepoints) -> None:
        self._writers, self._family, self._savepoints = writers, family, savepoints

    async def write(self, connection: AsyncConnection, entity: str, events: Events, entered: Entered) -> Written:
        """Apply the events of one entity. What the database refuses is in `rejected` and `kept`."""
        writer, written = self._writers[entity], Written()
        try:
            plan, stored = await self._try(connection, writer, events, entered)
        except BadData:
            try:
                plan, stored = await self._try(connection, writer, events, entered, by_itself=True)
            except BadData as refused:
                written.rejected += [refusal(event, refused.detail) for own in events.values() for event in own]
                return written
            acknowledge(plan, written)
            shown = set(plan.show)
            for i in events:
                shown |= await self._follow(connection, writer, i, entered, written)
            shown |= await self._free(connection, writer, writer.freeing(plan, stored), entered, written)
        else:
            acknowledge(plan, written)
            shown = set(plan.show)
        written.released_rejections += stored.unreadable
        written.released[Outcome.REJECTED] += len(stored.unreadable)
        await self._reunite(connection, entity, list(shown), written)
        return written

    async def show_again(self, connection: AsyncConnection, entity: str, entity_id: UUID, entered: Entered) -> Written:
        """Try a state that is kept aside once more; one that is still refused is in `kept`."""
        written = Written()
        shown = await self._again(connection, self._writers[entity], entity_id, entered, written)
        await self._reunite(connection, entity, list(shown), written)
        return written

    async def _try(
        self,
        connection: AsyncConnection,
        writer: EntityWriter,
        events: Events,
        entered: Entered,
        again: Set[UUID] = frozenset(),
        *,
        by_itself: bool = False,
    ) -> tuple[Plan, Stored]:
        stored = Stored()
        async with self._savepoints.tried(connection, writer.store.projection.table_name):
            return await writer.resolve(connection, events, stored, entered, again, by_itself=by_itself), stored

    async def _follow(
        self, connection: AsyncConnection, writer: EntityWriter, entity_id: UUID, entered: Entered, written: Written
    ) -> set[UUID]:
        """Apply the partial events that had waited for what has just been written, one after the other."""
        found, unreadable = await writer.parked(connection, [entity_id], Look(compared=[entity_id]))
        written.released_rejections += unreadable
        shown: set[UUID] = set()
        for event in sorted(found.get(entity_id, ()), key=lambda event: event.version):
            try:
                plan, _ = await self._try(connection, writer, {entity_id: [event]}, entered, by_itself=True)
            except BadData as refused:
                one = Written(rejected=[refusal(event, refused.detail)])
            else:
                if plan.settled[entity_id].parked:
                    break  # it waits for versions between
                shown |= plan.show.keys()
                one = Written()
                acknowledge(plan, one)
            await writer.unpark(connection, event)
            late = [*one.rejected, *one.released_rejections]
            written.released_rejections += late
            written.released[Outcome.REJECTED] += len(late)
            written.released[Outcome.APPLIED] += len(one.applied) + len(one.parked)
            written.released[Outcome.SUPERSEDED] += len(one.superseded)
        return shown

    async def _free(
        self, connection: AsyncConnection, writer: EntityWriter, freeing: Set[UUID], entered: Entered, written: Written
    ) -> set[UUID]:
        """Show the states that wanted a unique value which is given up now."""
        shown: set[UUID] = set()
        for contested in sorted(await writer.store.contested(connection, freeing)):
            shown |= await self._again(connection, writer, contested, entered, written)
        return shown

    async def _again(
        self, connection: AsyncConnection, writer: EntityWriter, entity_id: UUID, entered: Entered, written: Written
    ) -> set[UUID]:
        try:
            plan, stored = await self._try(
                connection, writer, {entity_id: []}, entered, frozenset([entity_id]), by_itself=True
            )
        except BadData as refused:
            await writer.store.refuse(connection, [entity_id], refused.detail)
            written.kept.append(KeptAside(writer.store.projection.entity, [entity_id], refused.detail))
            return set()
        written.released[Outcome.APPLIED] += len(plan.show)
        freed = await self._free(connection, writer, writer.freeing(plan, stored), entered, written)
        return {*plan.show, *freed}

    async def _reunite(self, connection: AsyncConnection, entity: str, ids: list[UUID], written: Written) -> None:
        for relation in self._family.children_of(entity) if ids else []:
            children = await self._family.to_release(connection, relation, ids)
            await self._release(connection, relation, children, written)

    async def _release(
        self, connection: AsyncConnection, relation: Relation, ids: list[UUID], written: Written
    ) -> None:
        """Show these children; in halves where the database refuses one of them."""
        if not ids:
            return
        refused: Any = None
        if sum(len(kept.ids) for kept in written.kept) >= MOST_REFUSED:
            refused = f"not tried, as {MOST_REFUSED} others were refused: {written.kept[-1].error}"
        else:
            try:
                async with self._savepoints.tried(connection, relation.child.table_name):
                    await self._family.release_some(connection, relation, ids)
            except BadData as error:
                if len(ids) > 1:
                    await self._release(connection, relation, ids[: len(ids) // 2], written)
                    await self._release(connection, relation, ids[len(ids) // 2 :], written)
                    return
                refused = error.detail
        if refused is None:
            written.released[Outcome.APPLIED] += len(ids)
            await self._reunite(connection, relation.child.entity, ids, written)
            return
        await connection.execute(relation.sql.refuse, {"id": ids, "error": refused})
        written.kept.append(KeptAside(relation.child.entity, ids, refused))
