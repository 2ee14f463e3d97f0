"""Applies one entity's events of a batch inside an open transaction, in a fixed number of statements.

Plain events (one complete state) go straight to the table, which takes them if their version is higher, nothing of
them is kept aside and their parents are there. All others, and those it refused, are looked at: stored state and
parked events are loaded and locked, the pure core decides, and the result is written by array.
"""

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from consumer import parked_events
from consumer.entity_store import Aside, EntityStore, Row
from consumer.errors import Conflict, NeedsMode
from consumer.family import Family
from consumer.gate import Mode
from projections.claims import losers
from projections.event import Event, Rejection
from projections.fold import Events, turns
from projections.outcome import Outcome
from projections.projection import Kind, Projection, Registry
from projections.settle import Settled, State, newest, settle


@dataclass(slots=True)
class Written:
    """What became of the events: each one in exactly one of these. `released` had been parked before."""

    applied: list[Event] = field(default_factory=list)
    superseded: list[Event] = field(default_factory=list)
    parked: list[Event] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    released: Counter[Outcome] = field(default_factory=Counter)
    released_rejections: list[Rejection] = field(default_factory=list)


@dataclass(slots=True)
class Stored:
    """What the database has of the entities in hand."""

    absent: dict[UUID, State] = field(default_factory=dict)
    waiting: dict[UUID, list[Event]] = field(default_factory=dict)
    rows: dict[UUID, State] = field(default_factory=dict)
    unreadable: list[Rejection] = field(default_factory=list)
    """Events that were parked, and are rejected now."""


@dataclass(slots=True)
class Plan:
    """Where the changed states go: to the table, or aside (then a row that is there may have to go)."""

    settled: dict[UUID, Settled]
    show: dict[UUID, Row] = field(default_factory=dict)
    aside: dict[UUID, Aside] = field(default_factory=dict)
    remove: list[UUID] = field(default_factory=list)

    def keeps_aside(self) -> bool:
        return bool(self.aside) or any(one.parked for one in self.settled.values())


class EntityWriter:
    """Writes one projection's events."""

    def __init__(self, registry: Registry, projection: Projection, family: Family) -> None:
        self._projection = projection
        self._store = EntityStore(registry, projection)
        self._family = family
        self._types = registry.event_types

    async def write(self, connection: AsyncConnection, events: Events, mode: Mode) -> Written:
        """Apply `events` by id, each in order of arrival.

        Conflict where the stored state moved meanwhile, NeedsMode where `mode` does not allow what is to be done.
        Mode.CAREFUL takes a look at every entity.
        """
        written, stored = Written(), Stored()
        left = events if mode is Mode.CAREFUL else await self._take_in_turn(connection, events, mode, written)
        shown = events.keys() - left.keys() if left else events.keys()
        if left:
            await self._look_aside(connection, stored, list(left))
            plan = await self._decide(connection, left, stored, mode)
            if mode <= Mode.BESIDE and plan.keeps_aside():
                raise NeedsMode(Mode.ALONE)
            await self._carry_out(connection, plan, stored, mode)
            _acknowledge(plan, written)
            shown = shown | plan.show.keys()
        written.released_rejections += stored.unreadable
        written.released[Outcome.REJECTED] += len(stored.unreadable)
        written.released[Outcome.APPLIED] += await self._family.reunite(connection, self._entity, list(shown))
        return written

    @property
    def _entity(self) -> str:
        return self._projection.entity

    async def _look_aside(self, connection: AsyncConnection, stored: Stored, ids: list[UUID]) -> None:
        stored.absent |= await self._store.load_absent(connection, ids)
        found = await parked_events.load(connection, self._projection, self._types, self._store.sql, ids)
        stored.waiting |= found[0]
        stored.unreadable += found[1]

    async def _take_in_turn(
        self, connection: AsyncConnection, events: Events, mode: Mode, written: Written
    ) -> Mapping[UUID, list[Event]]:
        """Write what needs no look, and return the rest: of an entity that is refused once, all that follows too."""
        first, *others = turns(events)
        taken = await self._take(connection, first, mode, written)
        left = {i: own for i, own in events.items() if i not in taken} if len(taken) < len(events) else {}
        for number, turn in enumerate(others, 1):
            plain = {i: event for i, event in turn.items() if i not in left}
            taken = await self._take(connection, plain, mode, written)
            left |= {i: events[i][number:] for i in plain if i not in taken}
        return left

    async def _with_parents(self, connection: AsyncConnection, plain: Mapping[UUID, Event]) -> Mapping[UUID, Event]:
        """Those whose parents are there. Beside others nobody looks: the foreign key does anyway, and it costs."""
        for parent in self._family.parents_of(self._entity):
            states = [event.fields for event in plain.values()]
            missing = await self._family.missing_parents(connection, parent, states)
            plain = (
                {i: e for i, e in plain.items() if e.fields[parent.link.column] not in missing} if missing else plain
            )
        return plain

    async def _take(
        self, connection: AsyncConnection, plain: Mapping[UUID, Event], mode: Mode, written: Written
    ) -> Mapping[UUID, Event]:
        """Write these, and tell which the table took."""
        if mode is Mode.ALONE:
            plain = await self._with_parents(connection, plain)
        refused, moved = await self._store.take(connection, list(plain.values()), new=mode is Mode.NEW)
        if await self._store.contested(connection, freeing=moved):
            raise NeedsMode(Mode.CAREFUL)
        taken = {i: event for i, event in plain.items() if i not in refused} if refused else plain
        written.applied.extend(taken.values())
        return taken

    async def _decide(self, connection: AsyncConnection, events: Events, stored: Stored, mode: Mode) -> Plan:
        """What becomes of these entities, and of those that wait for a unique value which one of them gives up."""
        looked, again, new = dict(events), set[UUID](), list(events)
        going = [i for i, arriving in events.items() if any(e.kind is Kind.DELETED for e in arriving)]
        await self._store.lock(connection, going)
        while True:
            stored.rows |= await self._store.load(connection, new)
            plan = await self._place(connection, looked, again, stored)
            holders = await self._contest(connection, plan) if mode is Mode.CAREFUL else set()
            freeing = self._freeing(plan, stored)
            contested = await self._store.contested(connection, freeing, holders) - again
            if not contested:
                return plan
            if mode is not Mode.CAREFUL:
                raise NeedsMode(Mode.CAREFUL)
            again |= contested
            new = list(contested - looked.keys())
            await self._look_aside(connection, stored, new)
            looked |= {i: [] for i in new}

    async def _place(self, connection: AsyncConnection, looked: Events, again: Set[UUID], stored: Stored) -> Plan:
        """Show what lives and whose parents are there; keep the rest aside. `again` may be shown without a change."""
        plan = Plan({})
        for i, arriving in looked.items():
            state = newest(stored.rows.get(i), stored.absent.get(i))
            one = plan.settled[i] = settle(state, stored.waiting.get(i, ()), arriving)
            if one.state is not None and (one.changed or i in again):
                row: Row = {"id": i, "version": one.state.version, **(one.state.fields or {})}
                if one.state.fields is None:
                    plan.aside[i] = Aside(row, "deleted", None)
                else:
                    plan.show[i] = row
        for parent in self._family.parents_of(self._entity):
            column = parent.link.column
            missing = await self._family.missing_parents(connection, parent, plan.show.values())
            for i in [i for i, row in plan.show.items() if row[column] in missing]:
                row = plan.show.pop(i)
                plan.aside[i] = Aside(row, missing[row[column]], row[column])
        plan.remove = [i for i in plan.aside if i in stored.rows]
        return plan

    async def _contest(self, connection: AsyncConnection, plan: Plan) -> set[UUID]:
        """Keep aside the states that claim a unique value which another entity has; their rows stay as last shown.

        Returns those others: one that is contested itself may give its value up, and close a cycle.
        """
        blocking: set[UUID] = set()
        for column in self._projection.unique:
            wanted = {i: row[column] for i, row in plan.show.items()}
            holders = await self._store.holders(connection, column, set(wanted.values()))
            for i, holder in losers(wanted, holders, frozenset(plan.remove)).items():
                plan.aside[i] = Aside(plan.show.pop(i), "contested", holder)
                blocking.add(holder)
        return blocking

    def _freeing(self, plan: Plan, stored: Stored) -> set[UUID]:
        """The entities whose rows give a unique value up."""
        moving = {
            i
            for i, row in plan.show.items()
            if i in stored.rows and any((stored.rows[i].fields or {})[c] != row[c] for c in self._projection.unique)
        }
        return moving | set(plan.remove)

    async def _carry_out(self, connection: AsyncConnection, plan: Plan, stored: Stored, mode: Mode) -> None:
        store = self._store
        for reason in ("parent_deleted", "no_parent") if self._family.children_of(self._entity) else ():
            await self._family.part(connection, self._entity, _leaving(plan, stored, reason), reason)
        await store.delete(connection, plan.remove)
        await store.put_aside(connection, plan.aside.values())
        await store.drop_absent(connection, [i for i in plan.show if i in stored.absent])
        if mode is Mode.CAREFUL:
            await store.vacate(connection, list(self._freeing(plan, stored) & plan.show.keys()))
        if (await store.upsert(connection, list(plan.show.values()))).refused:
            raise Conflict("a row moved")
        await parked_events.store(connection, self._types, store.sql, plan.settled)


def _leaving(plan: Plan, stored: Stored, reason: str) -> list[UUID]:
    """Who is kept aside so that its children are, for `reason`; a contested one whose row stays is not."""
    return [
        i
        for i, aside in plan.aside.items()
        if (aside.reason in ("deleted", "parent_deleted")) == (reason == "parent_deleted")
        and not (aside.reason == "contested" and i in stored.rows)
    ]


def _acknowledge(plan: Plan, written: Written) -> None:
    """Count every event as what it became; one that moved a state which waits is parked with it."""
    for i, one in plan.settled.items():
        aside = plan.aside.get(i)
        waits = aside is not None and aside.reason != "deleted"
        (written.parked if waits else written.applied).extend(one.applied)
        written.superseded.extend(one.superseded)
        written.parked.extend(one.parked)
        for rejection in one.rejected:
            late = isinstance(rejection.record, parked_events.ParkedRecord)
            (written.released_rejections if late else written.rejected).append(rejection)
        if one.released:
            written.released.update({outcome: len(events) for outcome, events in one.released.items()})
        if not one.changed and i in plan.show:
            written.released[Outcome.APPLIED] += 1
