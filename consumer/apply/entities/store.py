"""Writes what is stored of one entity type. Each method is one or two statements for all rows, or none if there are no
rows."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.apply.mode import Mode
from neon_projector.consumer.errors import Moved, NeedsMode, NotTaken
from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import Projection
from neon_projector.projections.sql.statements import Statements
from neon_projector.projections.state.grouping import Change
from neon_projector.projections.state.kept import Kept

Row = Mapping[str, Any]
"""A row of the entity's table: columns and values."""


class Aside(NamedTuple):
    """A state to keep aside: its row (a tombstone's has only id and version), the reason, and whom it waits for."""

    row: Row
    reason: str
    waiting_for: UUID | None


class Upserted(NamedTuple):
    """What an upsert did: the ids that it left out, and those whose unique value changed."""

    left_out: set[UUID]
    moved: set[UUID]


class EntityStore:
    """Writes rows and states kept aside. It keeps nothing between calls."""

    def __init__(self, projection: Projection, sql: Statements) -> None:
        self._projection, self._sql = projection, sql

    async def upsert(self, connection: AsyncConnection, rows: Sequence[Row]) -> Upserted:
        """Insert or update `rows`, where their version is higher than the stored one."""
        return await self._write(connection, self._sql.upsert, self._arrays(rows) if rows else {})

    async def take(
        self, connection: AsyncConnection, events: Sequence[Event], oldest: Mapping[UUID, int], mode: Mode
    ) -> Upserted:
        """Write the states of complete events without having read what is stored.

        Left out are those of which the stored version is not lower (for the ids in `oldest`: not lower than that
        version), and those with something aside or parked. Below Mode.SHARED_LOOKING a missing parent or a unique value
        of another entity is an IntegrityError, and so is an entity of version 1 that exists, in Mode.SHARED_INSERT.
        From Mode.SHARED_LOOKING on they are NeedsMode, before the server has an error to log.
        """
        values: dict[str, list[Any]] = {}
        if events:
            values = {"id": [e.id for e in events], "version": [e.version for e in events]}
            fields = [e.fields for e in events]
            values |= {c: [f[c] for f in fields] for c in self._projection.columns if c not in values}
            values |= {"several": list(oldest), "oldest": list(oldest.values())}
        if mode < Mode.SHARED_LOOKING:
            statement = self._sql.take_new if mode is Mode.SHARED_INSERT else self._sql.take
            return await self._write(connection, statement, values)
        if any(len(set(values[column])) < len(events) for column in self._projection.unique if events):
            raise NeedsMode(Mode.EXCLUSIVE_RESOLVE)
        return await self._write(connection, self._sql.take_looking, values, mode)

    async def change(self, connection: AsyncConnection, changes: Mapping[UUID, Change]) -> set[UUID]:
        """Change the rows that are at the version before and have nothing aside or parked. Returns their ids."""
        if not changes:
            return set()
        columns, given = self._projection.changeable, changes.values()
        values: dict[str, list[Any]] = {"id": list(changes)}
        values |= {name: [getattr(change, name) for change in given] for name in ("base", "version")}
        values["mask"] = [sum(1 << n for n, c in enumerate(columns) if c in change.fields) for change in given]
        values |= {column: [change.fields.get(column) for change in given] for column in columns}
        return {row.id for row in await connection.execute(self._sql.change, values)}

    async def vacate(self, connection: AsyncConnection, ids: list[UUID]) -> None:
        """Empty the unique columns of rows that are about to get new values, so that they can swap theirs."""
        if ids and self._sql.vacate is not None:
            await connection.execute(self._sql.vacate, {"id": ids})

    async def delete(self, connection: AsyncConnection, ids: list[UUID]) -> None:
        """Delete these rows, which exist and are locked. NotTaken if one stays."""
        if ids and (await connection.execute(self._sql.delete, {"id": ids})).rowcount != len(ids):
            raise NotTaken(self._projection.table_name)

    async def put_aside(
        self, connection: AsyncConnection, asides: Mapping[UUID, Aside], there: Collection[UUID]
    ) -> None:
        """Keep these states aside. Those of `there` replace an older one. Moved if a newer one is kept already."""
        new, known = list[Aside](), list[Aside]()
        for entity_id, aside in asides.items():
            (known if entity_id in there or self._has_kept(aside.row) else new).append(aside)
        for statement, some in ((self._sql.put_new_aside, new), (self._sql.put_aside, known)):
            if some and (await connection.execute(statement, self._aside_arrays(some))).rowcount != len(some):
                raise Moved("a state kept aside moved")

    async def put_unknown_aside(self, connection: AsyncConnection, asides: Mapping[UUID, Aside]) -> set[UUID]:
        """Keep these states aside, but those of which anything is stored: a row, a state, or a parked event. Returns
        the ids of those that are kept."""
        found = await connection.execute(self._sql.put_unknown_aside, self._aside_arrays(list(asides.values())))
        return {row.id for row in found}

    async def refuse(self, connection: AsyncConnection, ids: list[UUID], error: str) -> None:
        """Mark states kept aside as refused by the database. They wait for nobody now; `error` names what refuses."""
        await connection.execute(self._sql.refuse, {"id": ids, "error": error})

    async def drop_absent(self, connection: AsyncConnection, ids: list[UUID]) -> None:
        """Forget the states kept aside of entities that are shown now."""
        if ids:
            await connection.execute(self._sql.drop_absent, {"id": ids})

    async def _write(
        self,
        connection: AsyncConnection,
        statement: TextClause,
        values: dict[str, list[Any]],
        looking: Mode | None = None,
    ) -> Upserted:
        left_out, moved = set[UUID](), set[UUID]()
        for row in await connection.execute(statement, values) if values else ():
            (left_out if row.left_out else moved).add(row.id)
            if looking is not None and row.denied:
                raise NeedsMode(Mode.EXCLUSIVE_RESOLVE)
            if looking is Mode.SHARED_LOOKING and row.lonely:
                raise NeedsMode(Mode.EXCLUSIVE)
        if moved and self._sql.move_unique is not None:
            columns = ("id", "version", *self._projection.unique)
            at = [n for n, i in enumerate(values["id"]) if i in moved]
            done = await connection.execute(self._sql.move_unique, {c: [values[c][n] for n in at] for c in columns})
            if done.rowcount != len(moved):
                raise NotTaken(self._projection.table_name)
        return Upserted(left_out, moved)

    def _aside_arrays(self, asides: Sequence[Aside]) -> dict[str, list[Any]]:
        values = self._arrays([aside.row for aside in asides])
        values["reason"] = [aside.reason for aside in asides]
        values["waiting_for"] = [aside.waiting_for for aside in asides]
        return values

    def _has_kept(self, row: Row) -> bool:
        return any(isinstance(row.get(column), Kept) for column in self._projection.carried)

    def _arrays(self, rows: Sequence[Row]) -> dict[str, list[Any]]:
        values = {column: [row.get(column) for row in rows] for column in self._projection.columns}
        for column in self._projection.carried:
            given = values[column]
            values[column] = [None if isinstance(value, Kept) else value for value in given]
            values[f"kept_{column}"] = [value.version if isinstance(value, Kept) else None for value in given]
        return values
