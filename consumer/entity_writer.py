"""Applies one entity's events of a batch inside an open transaction, in a fixed number of statements.

Plain events (one complete state, nothing kept aside) go straight to the table, whose version guard decides. All
others, and those the guard refused, are looked at: stored state and parked events are loaded and locked, the pure
core decides, and the result is written by array.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from consumer import parked_events
from consumer.errors import Conflict
from projections.claims import losers
from projections.event import Event, Rejection
from projections.fold import is_plain
from projections.outcome import Outcome
from projections.projection import Kind, Parent, Projection, Registry
from projections.settle import Settled, State, settle
from projections.statements import ChildStatements, child_statements_for, statements_for

Row = Mapping[str, Any]


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
class _Plan:
    """What is to be written for entities that were looked at."""

    show: dict[UUID, Row] = field(default_factory=dict)
    aside: dict[UUID, tuple[Row, str, UUID | None]] = field(default_factory=dict)
    remove: list[UUID] = field(default_factory=list)
    settled: dict[UUID, Settled] = field(default_factory=dict)


class _Relation(NamedTuple):
    """A child's link to its parent, with the statements for it."""

    link: Parent
    sql: ChildStatements


class EntityWriter:
    """Writes one projection's events. It keeps nothing between calls but its statements."""

    def __init__(self, registry: Registry, projection: Projection) -> None:
        self._projection = projection
        self._sql = statements_for(projection)
        self._parents = [
            _Relation(link, child_statements_for(projection, registry[link.entity], link))
            for link in projection.parents
        ]
        self._children = [
            _Relation(link, child_statements_for(child, projection, link))
            for child, link in registry.children_of(projection.entity)
        ]
        self._types = registry.event_types

    async def write(
        self, connection: AsyncConnection, events: Mapping[UUID, list[Event]], *, careful: bool = False
    ) -> Written:
        """Apply `events` by id, each in order of arrival. Conflict where the stored state moved meanwhile.

        `careful` decides about unique values before writing, which takes a look at every entity: for when a
        first try has met a conflict.
        """
        written = Written()
        ids = list(events)
        absent = await self._load_absent(connection, ids)
        waiting = await parked_events.load(connection, self._projection, self._types, self._sql.load_parked, ids)
        plain = {}
        if not careful:
            plain = {i: e[0] for i, e in events.items() if is_plain(e) and i not in absent and i not in waiting}
        shown = await self._write_plain(connection, plain, written)
        looked = {i: e for i, e in events.items() if i not in shown}
        if looked:
            shown |= await self._write_looked(connection, looked, absent, waiting, written, careful)
        await self._release_children(connection, list(shown), written)
        return written

    async def _write_plain(
        self, connection: AsyncConnection, plain: Mapping[UUID, Event], written: Written
    ) -> set[UUID]:
        """Upsert what needs no look; returns the ids that the table took."""
        rows = {i: {"id": i, "version": e.version, **e.fields} for i, e in plain.items()}
        for parent in self._parents:
            missing = await self._missing_parents(connection, parent, rows.values())
            rows = {i: row for i, row in rows.items() if row[parent.link.column] not in missing}
        refused = await self._upsert(connection, rows)
        taken = rows.keys() - refused
        written.applied.extend(plain[i] for i in taken)
        return taken

    async def _write_looked(
        self,
        connection: AsyncConnection,
        events: Mapping[UUID, list[Event]],
        absent: Mapping[UUID, State],
        waiting: Mapping[UUID, list[Event]],
        written: Written,
        careful: bool,
    ) -> set[UUID]:
        """Decide on the stored state and write what comes of it; returns the ids that are shown anew."""
        going = [i for i, list_ in events.items() if any(e.kind is Kind.DELETED for e in list_)]
        if going:
            await connection.execute(self._sql.lock, {"id": going})
        rows = await self._load(connection, list(events))
        plan = _Plan()
        for i, arriving in events.items():
            state = newest(rows.get(i), absent.get(i))
            plan.settled[i] = settle(state, waiting.get(i, ()), arriving)
        await self._place(connection, plan, rows)
        if careful and self._sql.holders:
            await self._contest(connection, plan, rows)
        await self._hide_children(connection, [i for i, (_, reason, _) in plan.aside.items() if reason == "deleted"])
        await self._execute(connection, plan, absent)
        await parked_events.store(connection, self._types, self._sql, plan.settled)
        self._acknowledge(plan, written)
        return set(plan.show)

    async def _place(self, connection: AsyncConnection, plan: _Plan, rows: Mapping[UUID, State]) -> None:
        """Where each changed state goes: to the table, or aside."""
        changed = {i: s.state for i, s in plan.settled.items() if s.changed and s.state is not None}
        alive: dict[UUID, Row] = {
            i: {"id": i, "version": s.version, **s.fields} for i, s in changed.items() if s.fields is not None
        }
        for i, state in changed.items():
            if state.fields is None:
                plan.aside[i] = ({"id": i, "version": state.version}, "deleted", None)
        for parent in self._parents:
            column = parent.link.column
            missing = await self._missing_parents(connection, parent, alive.values())
            for i in [i for i, row in alive.items() if row[column] in missing]:
                row = alive.pop(i)
                plan.aside[i] = (row, missing[row[column]], row[column])
        plan.show = alive
        plan.remove = [i for i in plan.aside if i in rows]

    async def _contest(self, connection: AsyncConnection, plan: _Plan, rows: Mapping[UUID, State]) -> None:
        """Keep aside the states that claim a unique value which another entity has."""
        for column, statement in self._sql.holders.items():
            wanted = {i: row[column] for i, row in plan.show.items()}
            found = await connection.execute(statement, {"value": list(set(wanted.values()))})
            lost = losers(wanted, {row.value: row.id for row in found}, frozenset(plan.remove))
            for i, holder in lost.items():
                plan.aside[i] = (plan.show.pop(i), "contested", holder)
        if moving := [i for i in plan.show if i in rows]:
            assert self._sql.vacate is not None
            await connection.execute(self._sql.vacate, {"id": moving})

    async def _execute(self, connection: AsyncConnection, plan: _Plan, absent: Mapping[UUID, State]) -> None:
        if plan.remove:
            await connection.execute(self._sql.delete, {"id": plan.remove})
        if plan.aside:
            rows = [row for row, _, _ in plan.aside.values()]
            values = self._arrays(rows)
            values["reason"] = [reason for _, reason, _ in plan.aside.values()]
            values["waiting_for"] = [parent for _, _, parent in plan.aside.values()]
            put = await connection.execute(self._sql.put_aside, values)
            if put.rowcount != len(rows):
                raise Conflict("a state kept aside moved")
        if back := [i for i in plan.show if i in absent]:
            await connection.execute(self._sql.drop_absent, {"id": back})
        if await self._upsert(connection, plan.show):
            raise Conflict("a row moved")

    def _acknowledge(self, plan: _Plan, written: Written) -> None:
        for i, settled in plan.settled.items():
            aside = plan.aside.get(i)
            waits = aside is not None and aside[1] != "deleted"
            (written.parked if waits else written.applied).extend(settled.applied)
            written.superseded.extend(settled.superseded)
            written.parked.extend(settled.parked)
            arrived = [r for r in settled.rejected if not isinstance(r.record, parked_events.ParkedRecord)]
            written.rejected.extend(arrived)
            written.released_rejections.extend(r for r in settled.rejected if r not in arrived)
            for outcome, events in settled.released.items():
                written.released[outcome] += len(events)

    async def _upsert(self, connection: AsyncConnection, rows: Mapping[UUID, Row]) -> set[UUID]:
        """Insert or update rows; returns the ids whose stored version is not lower."""
        if not rows:
            return set()
        values = self._arrays(list(rows.values()))
        if self._sql.move_unique is not None and max(values["version"]) > 1:
            columns = ("id", "version", *self._projection.unique)
            await connection.execute(self._sql.move_unique, {name: values[name] for name in columns})
        refused = await connection.execute(self._sql.upsert, values)
        return {row.id for row in refused}

    async def _load(self, connection: AsyncConnection, ids: list[UUID]) -> dict[UUID, State]:
        rows = await connection.execute(self._sql.load, {"id": ids})
        return {row["id"]: _state(row) for row in map(dict, rows.mappings())}

    async def _load_absent(self, connection: AsyncConnection, ids: list[UUID]) -> dict[UUID, State]:
        found = {}
        for row in (await connection.execute(self._sql.load_absent, {"id": ids})).mappings():
            fields = {c: row[f"state_{c}"] for c in self._projection.columns if c not in ("id", "version")}
            gone = row["reason"] in ("deleted", "erased")
            state = State(row["at_version"], None if gone else fields, row["reason"] == "erased")
            found[row["entity_id"]] = state
        return found

    async def _missing_parents(
        self, connection: AsyncConnection, parent: _Relation, rows: Iterable[Row]
    ) -> dict[UUID, str]:
        """The parents of `rows` that are not there, each with the reason to wait for it."""
        wanted = list({row[parent.link.column] for row in rows})
        if not wanted:
            return {}
        found = await connection.execute(parent.sql.missing_parents, {"id": wanted})
        hiding = ("deleted", "erased", "parent_deleted")
        return {row.id: "parent_deleted" if row.reason in hiding else "no_parent" for row in found}

    async def _hide_children(self, connection: AsyncConnection, ids: list[UUID]) -> None:
        if ids:
            for child in self._children:
                await connection.execute(child.sql.hide, {"id": ids})
                await connection.execute(child.sql.orphaned, {"id": ids})

    async def _release_children(self, connection: AsyncConnection, ids: list[UUID], written: Written) -> None:
        if ids:
            for child in self._children:
                freed = await connection.execute(child.sql.release, {"id": ids})
                written.released[Outcome.APPLIED] += len(freed.all())

    def _arrays(self, rows: Sequence[Row]) -> dict[str, list[Any]]:
        return {column: [row.get(column) for row in rows] for column in self._projection.columns}


def newest(row: State | None, aside: State | None) -> State | None:
    """Of the row shown and the state kept aside, the newer one: that is what the entity is."""
    if row is None or aside is None:
        return row or aside
    return aside if aside.version > row.version else row


def _state(row: dict[str, Any]) -> State:
    del row["id"]
    return State(row.pop("version"), row)
