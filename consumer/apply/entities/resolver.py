"""Decides about entities that the fast path does not take: reads what is stored, folds, and writes the result.

The order is: load rows, states kept aside and parked events, and lock them; let the pure core fold each entity; show
what lives and has its parents, and keep the rest aside; decide who gets which unique value; write it all, by arrays.
"""

from collections.abc import Set
from uuid import UUID

from neon_projector.consumer.apply.entities.access import Access
from neon_projector.consumer.apply.entities.parents import Parents
from neon_projector.consumer.apply.entities.plan import Plan, Stored, Written
from neon_projector.consumer.apply.entities.reader import ANY_SIZE, MOST_STORED, Look
from neon_projector.consumer.apply.entities.store import Aside, Row
from neon_projector.consumer.apply.mode import Mode
from neon_projector.consumer.apply.unit import Unit
from neon_projector.consumer.errors import NeedsMode, NotTaken
from neon_projector.projections.contract.projection import DELETED
from neon_projector.projections.state.fold import fold, newest
from neon_projector.projections.state.grouping import Events, ids_setting
from neon_projector.projections.state.unique_values import denied


class Resolver:
    """One write of some entities of one type, in one transaction: `resolve` is called once.

    Afterwards `plan` says what was done, and `stored` what had been there.
    """

    def __init__(self, unit: Unit, access: Access, parents: Parents) -> None:
        self._unit, self._access, self._parents = unit, access, parents
        self._connection = unit.connection
        self._look = Look()
        self.stored = Stored()
        self.plan = Plan()

    async def resolve(self, events: Events, reconsider: Set[UUID] = frozenset(), *, by_itself: bool = False) -> Plan:
        """Look at these entities, decide, and write.

        States of `reconsider` that are kept aside may be shown although no event changes them. `by_itself` leaves out
        what waits for these entities: parked events, and contested states. Errors as EntityWriter.write.
        """
        most = MOST_STORED if len(events) > 1 else ANY_SIZE
        self._look = Look(most, ids_setting(events, self._access.projection.carried))
        await self._load_waiting(list(events))
        if by_itself:
            self.stored.waiting.clear()
        await self._decide(events, set(reconsider), by_itself=by_itself)
        if self._unit.mode.shared and self.plan.keeps_aside():
            raise NeedsMode(Mode.EXCLUSIVE)
        await self._carry_out()
        return self.plan

    def freeing(self) -> set[UUID]:
        """The entities whose rows give up a unique value."""
        moving = {
            entity_id
            for entity_id, row in self.plan.show.items()
            if entity_id in self.stored.rows
            and any(self.stored.shown(entity_id, column) != row[column] for column in self._access.projection.unique)
        }
        return moving | set(self.plan.remove)

    def acknowledge(self, written: Written) -> None:
        """Count every event as what it became, also those that were parked."""
        self.plan.acknowledge(written)
        written.reject_released(self.stored.unreadable)

    async def _load_waiting(self, ids: list[UUID]) -> None:
        """Load what is kept aside of these entities, and their parked events."""
        self.stored.absent |= await self._access.reader.load_absent(self._connection, ids, self._look)
        if self._unit.waiting:
            events, unreadable = await self._access.parked.load(self._connection, ids, self._look)
            self.stored.waiting |= events
            self.stored.unreadable += unreadable

    async def _decide(self, events: Events, reconsider: set[UUID], *, by_itself: bool) -> None:
        """Make the plan for these entities, and for those that wait for a unique value which one of them gives up."""
        reader, seen, to_load = self._access.reader, dict(events), list(events)
        deleted_ids = [i for i, arriving in events.items() for event in arriving if event.kind is DELETED]
        await reader.lock(self._connection, deleted_ids)
        while True:
            self.stored.rows |= await reader.load(self._connection, to_load, self._look)
            await self._place(seen, reconsider)
            holders = await self._contest()
            if by_itself:
                return
            contested = await reader.contested(self._connection, self.freeing(), holders) - reconsider
            if not contested:
                return
            if self._unit.mode < Mode.EXCLUSIVE_RESOLVE:
                raise NeedsMode(Mode.EXCLUSIVE_RESOLVE)
            reconsider |= contested
            to_load = list(contested - seen.keys())
            seen |= {entity_id: [] for entity_id in to_load}
            self._look = Look()  # these are not in the batch, so dividing the batch would not make them fewer
            await self._load_waiting(to_load)

    async def _place(self, seen: Events, reconsider: Set[UUID]) -> None:
        """Begin a new plan: show what lives and has its parents, and keep the rest aside."""
        plan, stored = Plan(), self.stored
        for entity_id, arriving in seen.items():
            state = newest(stored.rows.get(entity_id), stored.absent.get(entity_id))
            outcome = fold(state, stored.waiting.get(entity_id, ()), arriving)
            plan.folded[entity_id] = outcome
            if (state := outcome.state) is not None and (outcome.changed or entity_id in reconsider):
                if state.fields is None:
                    row: Row = {"id": entity_id, "version": state.version}
                    plan.aside[entity_id] = Aside(row, "deleted", None)
                else:
                    plan.show[entity_id] = {"id": entity_id, "version": state.version, **state.fields}
        self.plan = plan
        await self._keep_orphans_aside()
        plan.remove = [entity_id for entity_id in plan.aside if entity_id in stored.rows]

    async def _keep_orphans_aside(self) -> None:
        """Keep states aside that miss a parent. Only a parent that the shown row does not name is looked up."""
        show, shown = self.plan.show, self.stored.shown
        orphans = await self._parents.orphans(
            lambda column: {i: row[column] for i, row in show.items() if shown(i, column) != row[column]}
        )
        self.plan.aside |= {i: Aside(show.pop(i), *orphan) for i, orphan in orphans.items()}

    async def _contest(self) -> set[UUID]:
        """Keep states aside that want a unique value which another entity has. Their rows stay as they are.

        Returns those other entities: one of them may be contested itself, and may close a cycle by giving its value up.
        A mode that does not decide about values only finds out whether there is anything to decide.
        """
        plan, blocking = self.plan, set[UUID]()
        for column in self._access.projection.unique:
            wanted = {entity_id: row[column] for entity_id, row in plan.show.items()}
            if self._unit.mode < Mode.EXCLUSIVE_RESOLVE:
                changed = {i: value for i, value in wanted.items() if self.stored.shown(i, column) != value}
                if changed and await self._access.reader.cannot_all_have(self._connection, column, changed):
                    raise NeedsMode(Mode.EXCLUSIVE_RESOLVE)
                continue
            holders = await self._access.reader.holders(self._connection, column, set(wanted.values()))
            for entity_id, holder in denied(wanted, holders, frozenset(plan.remove)).items():
                plan.aside[entity_id] = Aside(plan.show.pop(entity_id), "contested", holder)
                blocking.add(holder)
        return blocking

    async def _carry_out(self) -> None:
        """Write the plan. Children go before their parents, and rows before others take their unique values."""
        connection, plan, stored = self._connection, self.plan, self.stored
        access, relations, store = self._access, self._access.relations, self._access.store
        if relations.children_of(access.entity):
            for reason in ("parent_deleted", "no_parent"):
                await relations.hide_children(connection, access.entity, plan.leaving(stored, reason), reason)
        await store.put_aside(connection, plan.aside, stored.absent)  # while the rows are there: it may copy from them
        await store.delete(connection, plan.remove)
        if self._unit.mode >= Mode.EXCLUSIVE_RESOLVE:
            await store.vacate(connection, list(self.freeing() & plan.show.keys()))
        if (await store.upsert(connection, list(plan.show.values()))).left_out:
            raise NotTaken(access.projection.table_name)
        await store.drop_absent(connection, [entity_id for entity_id in plan.show if entity_id in stored.absent])
        await access.parked.store(connection, plan.folded.values())
