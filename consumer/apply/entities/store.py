"""One entity's tables, as the transaction uses them: each method is one statement for all rows (or none at all)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.apply.lock import Mode
from neon_projector.consumer.errors import Moved, NeedsMode, NotTaken, TooLarge
from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import Projection, Registry
from neon_projector.projections.sql.statements import statements_for
from neon_projector.projections.state.fold import State
from neon_projector.projections.state.grouping import Change
from neon_projector.projections.state.kept import Kept

Row = Mapping[str, Any]
"""A row of the entity's table: columns and values."""

MOST_STORED = 64 * 1024 * 1024
"""Bytes of stored values that are looked at together: they may be hashed and copied by one statement."""
ANY_SIZE = 2**63 - 1


class Look(NamedTuple):
    """How stored values of carried columns are looked at (`projections.sql.carried`)."""

    most: int = ANY_SIZE
    """Up to so many bytes together: TooLarge else. One entity can't be divided."""
    compared: Collection[UUID] = ()
    """The entities of which events set such a column."""

    def values(self, ids: list[UUID]) -> dict[str, Any]:
        """What the statements that load `ids` take."""
        return {"id": ids, "most": self.most, "compared": list(self.compared)}

    def check(self, stored_bytes: int) -> None:
        """TooLarge where what was to be loaded holds more; then nothing of it was."""
        if stored_bytes > self.most:
            raise TooLarge


GONE = ("deleted", "erased")
"""Reasons of tombstones."""


class Aside(NamedTuple):
    """A state to be kept aside: its row (a tombstone's has only id and version), why, and for whom it waits."""

    row: Row
    reason: str
    waiting_for: UUID | None


class Upserted(NamedTuple):
    """What an upsert did, by ids: those it refused, their version being no higher, and those whose value moved."""

    refused: set[UUID]
    moved: set[UUID]


class EntityStore:
    """Reads and writes what is stored of one projection. It keeps nothing between calls but its statements."""

    def __init__(self, registry: Registry, projection: Projection) -> None:
        self.projection = projection
        self.sql = statements_for(registry, projection)

    async def lock(self, connection: AsyncConnection, ids: list[UUID]) -> None:
        """Before a deletion: from now on nobody else can come to refer to these rows."""
        if ids:
            await connection.execute(self.sql.lock, {"id": ids})

    async def load(self, connection: AsyncConnection, ids: list[UUID], look: Look) -> dict[UUID, State]:
        """The rows of `ids` that are there, locked against changes. TooLarge where `look` says so."""
        found = await connection.execute(self.sql.load, self._of(ids, look))
        names, states = tuple(found.keys()), {}
        for row in found:  # a mapping of each costs 5 µs more
            fields = dict(zip(names, row, strict=True))
            own = fields.pop("changed_by_triggers")
            look.check(fields.pop("stored_bytes", 0))
            states[fields.pop("id")] = self._state(fields.pop("version"), fields, changed=own)
        return states

    async def load_absent(self, connection: AsyncConnection, ids: list[UUID], look: Look) -> dict[UUID, State]:
        """The states of `ids` that are kept aside. TooLarge as in `load`."""
        columns = [c for c in self.projection.columns if c not in ("id", "version")]
        states = {}
        for row in (await connection.execute(self.sql.load_absent, self._of(ids, look))).mappings():
            look.check(row.get("stored_bytes", 0))
            fields = None if row["reason"] in GONE else {c: row[f"state_{c}"] for c in columns}
            states[row["entity_id"]] = self._state(
                row["at_version"], fields, erased=row["reason"] == "erased", changed=row["changed_by_triggers"]
            )
        return states

    def _of(self, ids: list[UUID], look: Look) -> dict[str, Any]:
        return look.values(ids) if self.projection.carried else {"id": ids}

    def _state(self, version: int, fields: dict[str, Any] | None, *, changed: bool, erased: bool = False) -> State:
        if fields is not None:
            fields |= {c: Kept(fields[c], version) for c in self.projection.carried if fields[c] is not None}
        return State(version, fields, erased, changed)

    async def holders(self, connection: AsyncConnection, column: str, values: Collection[Any]) -> dict[Any, UUID]:
        """Who has which of these `values` of a unique column."""
        found = await connection.execute(self.sql.holders[column], {"value": list(values)})
        return {row.value: row.id for row in found}

    async def foresee(self, connection: AsyncConnection, column: str, wanted: Mapping[UUID, Any]) -> bool:
        """Whether these can't all have the values of a unique column that they want: it is asked, not provoked."""
        values = set(wanted.values())
        if len(values) < len(wanted):
            return True
        found = await connection.execute(self.sql.seen_holders[column], {"value": list(values)})
        return any(wanted.get(row.id) != row.value for row in found)

    async def vacate(self, connection: AsyncConnection, ids: list[UUID]) -> None:
        """Empty the unique columns of rows that are about to get new values, so that they can be swapped."""
        if ids and self.sql.vacate is not None:
            await connection.execute(self.sql.vacate, {"id": ids})

    async def contested(
        self, connection: AsyncConnection, freeing: Collection[UUID], holders: Collection[UUID] = ()
    ) -> set[UUID]:
        """Contested ones that wait for one of `freeing`, and those of `holders` that want another value themselves."""
        if not (freeing or holders) or not self.projection.unique:
            return set()
        values = {"id": list(freeing), "holder": list(holders)}
        return {row.id for row in await connection.execute(self.sql.contested_by, values)}

    async def upsert(self, connection: AsyncConnection, rows: Sequence[Row]) -> Upserted:
        """Insert or update `rows`, where their version is higher than the stored one."""
        return await self._write(connection, self.sql.upsert, self._arrays(rows) if rows else {})

    async def take(
        self, connection: AsyncConnection, events: Sequence[Event], oldest: Mapping[UUID, int], mode: Mode
    ) -> Upserted:
        """The same for the states of complete events; refused where anything but the version stands against it.

        The stored version must also be lower than `oldest`, of entities that have one; only those of `events` count.
        Parents are taken to be there and unique values to be free, in Mode.SHARED_INSERT entities of version 1 not to
        be there: else this is an IntegrityError. From Mode.SHARED_LOOKING on it is NeedsMode, before the server has an
        error to log.
        """
        values: dict[str, list[Any]] = {}
        if events:
            values = {"id": [e.id for e in events], "version": [e.version for e in events]}
            fields = [e.fields for e in events]
            values |= {c: [f[c] for f in fields] for c in self.projection.columns if c not in values}
            values |= {"several": list(oldest), "oldest": list(oldest.values())}
        if mode < Mode.SHARED_LOOKING:
            return await self._write(
                connection, self.sql.take_new if mode is Mode.SHARED_INSERT else self.sql.take, values
            )
        if any(len(set(values[column])) < len(events) for column in self.projection.unique if events):
            raise NeedsMode(Mode.EXCLUSIVE_RESOLVE)
        return await self._write(connection, self.sql.take_looking, values, mode)

    async def change(self, connection: AsyncConnection, changes: Mapping[UUID, Change]) -> set[UUID]:
        """Change the rows that are at the version before, and of which nothing is kept aside; returns which."""
        if not changes:
            return set()
        columns, given = self.projection.changeable, changes.values()
        values: dict[str, list[Any]] = {"id": list(changes)}
        values |= {name: [getattr(change, name) for change in given] for name in ("base", "version")}
        values["mask"] = [sum(1 << n for n, c in enumerate(columns) if c in change.fields) for change in given]
        values |= {column: [change.fields.get(column) for change in given] for column in columns}
        return {row.id for row in await connection.execute(self.sql.change, values)}

    async def _write(
        self,
        connection: AsyncConnection,
        statement: TextClause,
        values: dict[str, list[Any]],
        looking: Mode | None = None,
    ) -> Upserted:
        refused, moved = set[UUID](), set[UUID]()
        for row in await connection.execute(statement, values) if values else ():
            (refused if row.refused else moved).add(row.id)
            if looking is not None and row.denied:
                raise NeedsMode(Mode.EXCLUSIVE_RESOLVE)
            if looking is Mode.SHARED_LOOKING and row.lonely:
                raise NeedsMode(Mode.EXCLUSIVE)
        if moved and self.sql.move_unique is not None:
            columns = ("id", "version", *self.projection.unique)
            at = [n for n, i in enumerate(values["id"]) if i in moved]
            done = await connection.execute(self.sql.move_unique, {c: [values[c][n] for n in at] for c in columns})
            if done.rowcount != len(moved):
                raise NotTaken(self.projection.table_name)
        return Upserted(refused, moved)

    async def delete(self, connection: AsyncConnection, ids: list[UUID]) -> None:
        """Take these rows out, which are there and locked; NotTaken where one stays."""
        if ids and (await connection.execute(self.sql.delete, {"id": ids})).rowcount != len(ids):
            raise NotTaken(self.projection.table_name)

    async def put_aside(
        self, connection: AsyncConnection, asides: Mapping[UUID, Aside], there: Collection[UUID]
    ) -> None:
        """Keep these states aside, of `there` instead of older ones; Moved where a newer one is kept already."""
        new = [aside for i, aside in asides.items() if i not in there and not self._has_kept(aside.row)]
        known = [aside for i, aside in asides.items() if i in there or self._has_kept(aside.row)]
        for statement, some in ((self.sql.put_new_aside, new), (self.sql.put_aside, known)):
            if some:
                values = self._arrays([aside.row for aside in some])
                values["reason"] = [aside.reason for aside in some]
                values["waiting_for"] = [aside.waiting_for for aside in some]
                if (await connection.execute(statement, values)).rowcount != len(some):
                    raise Moved("a state kept aside moved")

    async def refuse(self, connection: AsyncConnection, ids: list[UUID], error: str) -> None:
        """These states kept aside wait for nobody any more: the database refuses them, and `error` says what does."""
        await connection.execute(self.sql.refuse, {"id": ids, "error": error})

    async def drop_absent(self, connection: AsyncConnection, ids: list[UUID]) -> None:
        if ids:
            await connection.execute(self.sql.drop_absent, {"id": ids})

    def _has_kept(self, row: Row) -> bool:
        return any(isinstance(row.get(column), Kept) for column in self.projection.carried)

    def _arrays(self, rows: Sequence[Row]) -> dict[str, list[Any]]:
        values = {column: [row.get(column) for row in rows] for column in self.projection.columns}
        for column in self.projection.carried:
            given = values[column]
            values[column] = [None if isinstance(value, Kept) else value for value in given]
            values[f"kept_{column}"] = [value.version if isinstance(value, Kept) else None for value in given]
        return values
