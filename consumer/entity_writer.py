"""Applies one entity's events of a batch inside an open transaction, in a fixed number of statements.

Plain events (one complete state, nothing kept aside) go straight to the table, whose version guard decides. All
others, and those the guard refused, are looked at: stored state and parked events are loaded and locked, the pure
core decides, and the result is written by array.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from consumer import parked_events
from consumer.entity_store import Aside, EntityStore, Row
from consumer.errors import Conflict, NotAlone
from consumer.gate import Mode
from projections.claims import losers
from projections.event import Event, Rejection
from projections.fold import is_plain
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

    absent: Mapping[UUID, State]
    waiting: Mapping[UUID, list[Event]]
    rows: Mapping[UUID, State] = field(default_factory=dict)


@dataclass(slots=True)
class Plan:
    """Where the changed states go: to the table, or aside (then a row that is there may have to go)."""

    show: dict[UUID, Row] = field(default_factory=dict)
    aside: dict[UUID, Aside] = field(default_factory=dict)
    remove: list[UUID] = field(default_factory=list)


class EntityWriter:
    """Writes one projection's events."""

    def __init__(self, registry: Registry, projection: Projection) -> None:
        self._projection = projection
        self._store = EntityStore(registry, projection)
        self._types = registry.event_types

    async def write(self, connection: AsyncConnection, events: Mapping[UUID, list[Event]], mode: Mode) -> Written:
        """Apply `events` by id, each in order of arrival.

        Conflict where the stored state moved meanwhile, NotAlone where something is to be kept aside and `mode`
        does not allow it. Mode.CAREFUL takes a look at every entity.
        """
        written, store, ids = Written(), self._store, list(events)
        absent = await store.load_absent(connection, ids)
        waiting = await parked_events.load(connection, self._projection, self._types, store.sql.load_parked, ids)
        stored = Stored(absent, waiting)
        plain = {
            i: e[0]
            for i, e in events.items()
            if is_plain(e) and not (mode is Mode.CAREFUL or i in absent or i in waiting)
        }
        shown = await self._write_plain(connection, plain, written)
        if looked := {i: e for i, e in events.items() if i not in shown}:
            shown |= await self._write_looked(connection, looked, stored, written, mode)
        written.released[Outcome.APPLIED] += await store.release_children(connection, list(shown))
        return written

    async def _write_plain(
        self, connection: AsyncConnection, plain: Mapping[UUID, Event], written: Written
    ) -> set[UUID]:
        """Upsert what needs no look; returns the ids that the table took."""
        rows: dict[UUID, Row] = {i: {"id": i, "version": e.version, **e.fields} for i, e in plain.items()}
        for parent in self._store.parents:
            missing = await self._store.missing_parents(connection, parent, rows.values())
            rows = {i: row for i, row in rows.items() if row[parent.link.column] not in missing}
        taken = rows.keys() - await self._store.upsert(connection, list(rows.values()))
        written.applied.extend(plain[i] for i in taken)
        return taken

    async def _write_looked(
        self,
        connection: AsyncConnection,
        events: Mapping[UUID, list[Event]],
        stored: Stored,
        written: Written,
        mode: Mode,
    ) -> set[UUID]:
        """Decide on the stored state and write what comes of it; returns the ids that are shown anew."""
        going = [i for i, arriving in events.items() if any(e.kind is Kind.DELETED for e in arriving)]
        await self._store.lock(connection, going)
        stored.rows = await self._store.load(connection, list(events))
        settled = {
            i: settle(newest(stored.rows.get(i), stored.absent.get(i)), stored.waiting.get(i, ()), arriving)
            for i, arriving in events.items()
        }
        plan = await self._place(connection, settled, stored)
        if mode is Mode.CAREFUL:
            await self._contest(connection, plan, stored)
        if mode is Mode.BESIDE and (plan.aside or any(one.parked for one in settled.values())):
            raise NotAlone
        await self._carry_out(connection, plan, stored)
        await parked_events.store(connection, self._types, self._store.sql, settled)
        _acknowledge(settled, plan, written)
        return set(plan.show)

    async def _place(self, connection: AsyncConnection, settled: Mapping[UUID, Settled], stored: Stored) -> Plan:
        """Show what lives and whose parents are there; keep the rest aside."""
        plan = Plan()
        for i, one in settled.items():
            if one.changed and one.state is not None:
                row: Row = {"id": i, "version": one.state.version, **(one.state.fields or {})}
                if one.state.fields is None:
                    plan.aside[i] = Aside(row, "deleted", None)
                else:
                    plan.show[i] = row
        for parent in self._store.parents:
            column = parent.link.column
            missing = await self._store.missing_parents(connection, parent, plan.show.values())
            for i in [i for i, row in plan.show.items() if row[column] in missing]:
                row = plan.show.pop(i)
                plan.aside[i] = Aside(row, missing[row[column]], row[column])
        plan.remove = [i for i in plan.aside if i in stored.rows]
        return plan

    async def _contest(self, connection: AsyncConnection, plan: Plan, stored: Stored) -> None:
        """Keep aside the states that claim a unique value which another entity has; its row stays as last shown."""
        for column in self._projection.unique:
            wanted = {i: row[column] for i, row in plan.show.items()}
            holders = await self._store.holders(connection, column, set(wanted.values()))
            for i, holder in losers(wanted, holders, frozenset(plan.remove)).items():
                plan.aside[i] = Aside(plan.show.pop(i), "contested", holder)
        await self._store.vacate(connection, [i for i in plan.show if i in stored.rows])

    async def _carry_out(self, connection: AsyncConnection, plan: Plan, stored: Stored) -> None:
        store = self._store
        await store.hide_children(connection, [i for i, aside in plan.aside.items() if aside.reason == "deleted"])
        await store.delete(connection, plan.remove)
        await store.put_aside(connection, plan.aside.values())
        await store.drop_absent(connection, [i for i in plan.show if i in stored.absent])
        if await store.upsert(connection, list(plan.show.values())):
            raise Conflict("a row moved")


def _acknowledge(settled: Mapping[UUID, Settled], plan: Plan, written: Written) -> None:
    """Count every event as what it became; one that moved a state which waits is parked with it."""
    for i, one in settled.items():
        aside = plan.aside.get(i)
        waits = aside is not None and aside.reason != "deleted"
        (written.parked if waits else written.applied).extend(one.applied)
        written.superseded.extend(one.superseded)
        written.parked.extend(one.parked)
        for rejection in one.rejected:
            late = isinstance(rejection.record, parked_events.ParkedRecord)
            (written.released_rejections if late else written.rejected).append(rejection)
        written.released.update({outcome: len(events) for outcome, events in one.released.items()})
