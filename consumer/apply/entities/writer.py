"""Applies one entity's events of a batch inside an open transaction, in a fixed number of statements.

Plain entities (complete states only) go straight to the table, which takes the newest state if its own version is lower
than the oldest one's, nothing of them is kept aside and their parents are there; so do changes of the version before.
All others, and those it refused, are looked at: stored state and parked events are loaded and locked, the pure core
decides, and the result is written by array.
"""

from collections.abc import Mapping, Set
from itertools import chain
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.apply.entities import parked as parked_events
from neon_projector.consumer.apply.entities.plan import Plan, Stored, Written, acknowledge, leaving
from neon_projector.consumer.apply.entities.relations import Relation, Relations
from neon_projector.consumer.apply.entities.store import ANY_SIZE, MOST_STORED, Aside, EntityStore, Look, Row
from neon_projector.consumer.apply.lock import Entered, Mode
from neon_projector.consumer.errors import NeedsMode, NotTaken
from neon_projector.projections.contract.event import Event, Rejection
from neon_projector.projections.contract.outcome import Outcome
from neon_projector.projections.contract.projection import DELETED, Projection, Registry
from neon_projector.projections.state.fold import fold, newest
from neon_projector.projections.state.grouping import Events, complete_states, ids_setting, merged_changes
from neon_projector.projections.state.unique_values import denied


class EntityWriter:
    """Writes one projection's events."""

    def __init__(self, registry: Registry, projection: Projection, family: Relations) -> None:
        self._projection = projection
        self.store = self._store = EntityStore(registry, projection)
        self._family = family
        self._types = registry.event_types

    async def write(self, connection: AsyncConnection, events: Events, entered: Entered) -> Written:
        """Apply `events` by id, each in order of arrival.

        Moved where the stored state is another meanwhile, NeedsMode where its mode does not allow what is to be done.
        TooLarge where what is stored of more than one entity is too much. Mode.EXCLUSIVE_RESOLVE looks at every entity.
        """
        written, stored, mode = Written(), Stored(), entered.mode
        taken: Set[UUID] = set()
        if mode < Mode.EXCLUSIVE_RESOLVE:
            taken = await self._take(connection, events, entered, stored)
            if len(taken) < len(events):
                taken = taken | await self._store.change(
                    connection, merged_changes(events, self._projection.changeable)
                )
        written.applied.extend(chain.from_iterable(events[i] for i in taken))
        if len(taken) < len(events):
            left = {i: own for i, own in events.items() if i not in taken}
            plan = await self.resolve(connection, left, stored, entered)
            acknowledge(plan, written)
            taken = taken | plan.show.keys()
        written.released_rejections += stored.unreadable
        written.released[Outcome.REJECTED] += len(stored.unreadable)
        if not entered.nothing_waits:
            written.released[Outcome.APPLIED] += await self._family.release_children(
                connection, self._entity, list(taken)
            )
        return written

    async def resolve(
        self,
        connection: AsyncConnection,
        events: Events,
        stored: Stored,
        entered: Entered,
        again: Set[UUID] = frozenset(),
        *,
        by_itself: bool = False,
    ) -> Plan:
        """Look at these entities, decide and write; `again` are shown also where nothing changes them.

        `by_itself`: without what waits for them, partial events and contested states.
        """
        most = MOST_STORED if len(events) > 1 else ANY_SIZE
        stored.look = Look(most, ids_setting(events, self._projection.carried))
        await self._look_aside(connection, stored, list(events), entered)
        if by_itself:
            stored.waiting.clear()
        plan = await self._decide(connection, events, stored, entered, set(again), by_itself=by_itself)
        if entered.mode <= Mode.SHARED_LOOKING and plan.keeps_aside():
            raise NeedsMode(Mode.EXCLUSIVE)
        await self._carry_out(connection, plan, stored, entered.mode)
        return plan

    async def parked(
        self, connection: AsyncConnection, ids: list[UUID], look: Look
    ) -> tuple[dict[UUID, list[Event]], list[Rejection]]:
        """The parked events of `ids`, and those that today's contract refuses, which are taken out."""
        return await parked_events.load(connection, self._projection, self._types, self._store.sql, ids, look)

    async def unpark(self, connection: AsyncConnection, event: Event) -> None:
        await connection.execute(self._store.sql.unpark, {"entity_id": [event.id], "version": [event.version]})

    @property
    def _entity(self) -> str:
        return self._projection.entity

    async def _look_aside(self, connection: AsyncConnection, stored: Stored, ids: list[UUID], entered: Entered) -> None:
        stored.absent |= await self._store.load_absent(connection, ids, stored.look)
        if entered.nothing_waits:
            return
        found = await self.parked(connection, ids, stored.look)
        stored.waiting |= found[0]
        stored.unreadable += found[1]

    async def _with_parents(
        self, connection: AsyncConnection, newest: dict[UUID, Event], stored: Stored
    ) -> dict[UUID, Event]:
        """Those whose parents are there. Beside others nobody looks: the foreign key does anyway, and it costs."""
        for parent in self._family.parents_of(self._entity):
            column = parent.link.column
            parents = await self._look_for(connection, parent, {e.fields[column] for e in newest.values()}, stored)
            newest = {i: event for i, event in newest.items() if parents[event.fields[column]] is None}
        return newest

    async def _look_for(
        self, connection: AsyncConnection, parent: Relation, ids: Set[UUID], stored: Stored
    ) -> Mapping[UUID, str | None]:
        """Each parent once: nothing of this transaction brings or takes one while its children are written."""
        known = stored.parents.setdefault(parent.link.column, {})
        new = ids - known.keys()
        known |= dict.fromkeys(new) | await self._family.missing_parents(connection, parent, new)
        return known

    async def _take(self, connection: AsyncConnection, events: Events, entered: Entered, stored: Stored) -> Set[UUID]:
        """Write the entities that need no look, and tell which of them the table took."""
        newest, oldest = complete_states(events)
        if entered.mode is Mode.EXCLUSIVE:
            newest = await self._with_parents(connection, newest, stored)
        refused, moved = await self._store.take(connection, list(newest.values()), oldest, entered.mode)
        if not entered.nothing_waits and await self._store.contested(connection, freeing=moved):
            raise NeedsMode(Mode.EXCLUSIVE_RESOLVE)
        return newest.keys() - refused if refused else newest.keys()

    async def _decide(
        self,
        connection: AsyncConnection,
        events: Events,
        stored: Stored,
        entered: Entered,
        again: set[UUID],
        *,
        by_itself: bool,
    ) -> Plan:
        """What becomes of these entities, and of those that wait for a unique value which one of them gives up."""
        mode = entered.mode
        looked, new = dict(events), list(events)
        going = [i for i, arriving in events.items() for e in arriving if e.kind is DELETED]
        await self._store.lock(connection, going)
        while True:
            stored.rows |= await self._store.load(connection, new, stored.look)
            plan = await self._place(connection, looked, again, stored)
            holders = await self._contest(connection, plan, stored, mode)
            if by_itself:
                return plan
            freeing = self.freeing(plan, stored)
            contested = await self._store.contested(connection, freeing, holders) - again
            if not contested:
                return plan
            if mode < Mode.EXCLUSIVE_RESOLVE:
                raise NeedsMode(Mode.EXCLUSIVE_RESOLVE)
            again, stored.look = again | contested, Look()  # these are none of the batch's: to halve it won't help
            new = list(contested - looked.keys())
            await self._look_aside(connection, stored, new, entered)
            looked |= {i: [] for i in new}

    async def _place(self, connection: AsyncConnection, looked: Events, again: Set[UUID], stored: Stored) -> Plan:
        """Show what lives and whose parents are there; keep the rest aside. `again` may be shown without a change."""
        plan = Plan({})
        for i, arriving in looked.items():
            state = newest(stored.rows.get(i), stored.absent.get(i))
            one = plan.settled[i] = fold(state, stored.waiting.get(i, ()), arriving)
            if one.state is not None and (one.changed or i in again):
                row: Row = {"id": i, "version": one.state.version, **(one.state.fields or {})}
                if one.state.fields is None:
                    plan.aside[i] = Aside(row, "deleted", None)
                else:
                    plan.show[i] = row
        for parent in self._family.parents_of(self._entity):
            column = parent.link.column
            wanted = {i: row[column] for i, row in plan.show.items() if stored.shown(i, column) != row[column]}
            parents = await self._look_for(connection, parent, set(wanted.values()), stored)
            for i, wanted_parent in wanted.items():
                if (reason := parents[wanted_parent]) is not None:
                    plan.aside[i] = Aside(plan.show.pop(i), reason, wanted_parent)
        plan.remove = [i for i in plan.aside if i in stored.rows]
        return plan

    async def _contest(self, connection: AsyncConnection, plan: Plan, stored: Stored, mode: Mode) -> set[UUID]:
        """Keep aside the states that claim a unique value which another entity has; their rows stay as last shown.

        Returns those others: one that is contested itself may give its value up, and close a cycle. A mode that decides
        nothing about values only looks whether there is anything to decide.
        """
        blocking: set[UUID] = set()
        for column in self._projection.unique:
            wanted = {i: row[column] for i, row in plan.show.items()}
            if mode < Mode.EXCLUSIVE_RESOLVE:
                changed = {i: value for i, value in wanted.items() if stored.shown(i, column) != value}
                if changed and await self._store.foresee(connection, column, changed):
                    raise NeedsMode(Mode.EXCLUSIVE_RESOLVE)
                continue
            holders = await self._store.holders(connection, column, set(wanted.values()))
            for i, holder in denied(wanted, holders, frozenset(plan.remove)).items():
                plan.aside[i] = Aside(plan.show.pop(i), "contested", holder)
                blocking.add(holder)
        return blocking

    def freeing(self, plan: Plan, stored: Stored) -> set[UUID]:
        """The entities whose rows give a unique value up."""
        moving = {
            i
            for i, row in plan.show.items()
            if i in stored.rows and any(stored.shown(i, column) != row[column] for column in self._projection.unique)
        }
        return moving | set(plan.remove)

    async def _carry_out(self, connection: AsyncConnection, plan: Plan, stored: Stored, mode: Mode) -> None:
        store = self._store
        for reason in ("parent_deleted", "no_parent") if self._family.children_of(self._entity) else ():
            await self._family.part(connection, self._entity, leaving(plan, stored, reason), reason)
        await store.put_aside(connection, plan.aside, stored.absent)  # a value may come from a row that goes
        await store.delete(connection, plan.remove)
        if mode >= Mode.EXCLUSIVE_RESOLVE:
            await store.vacate(connection, list(self.freeing(plan, stored) & plan.show.keys()))
        if (await store.upsert(connection, list(plan.show.values()))).refused:
            raise NotTaken(self._projection.table_name)
        await store.drop_absent(connection, [i for i in plan.show if i in stored.absent])
        await parked_events.store(connection, self._types, store.sql, plan.settled)
