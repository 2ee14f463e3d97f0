"""One entity's tables, as the transaction uses them: each method is one statement for all rows (or none at all)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from consumer.errors import Conflict
from projections.projection import Parent, Projection, Registry
from projections.settle import State
from projections.statements import ChildStatements, child_statements_for, statements_for

Row = Mapping[str, Any]
"""A row of the entity's table: columns and values."""

GONE = ("deleted", "erased")
"""Reasons of tombstones."""


class Relation(NamedTuple):
    """A child's link to its parent, with the statements for it."""

    link: Parent
    sql: ChildStatements


class Aside(NamedTuple):
    """A state to be kept aside: its row (a tombstone's has only id and version), why, and for whom it waits."""

    row: Row
    reason: str
    waiting_for: UUID | None


class EntityStore:
    """Reads and writes what is stored of one projection. It keeps nothing between calls but its statements."""

    def __init__(self, registry: Registry, projection: Projection) -> None:
        self.projection = projection
        self.sql = statements_for(projection)
        self.parents = [
            Relation(link, child_statements_for(projection, registry[link.entity], link)) for link in projection.parents
        ]
        self._children = [
            Relation(link, child_statements_for(child, projection, link))
            for child, link in registry.children_of(projection.entity)
        ]

    async def lock(self, connection: AsyncConnection, ids: list[UUID]) -> None:
        """Before a deletion: from now on nobody else can come to refer to these rows."""
        if ids:
            await connection.execute(self.sql.lock, {"id": ids})

    async def load(self, connection: AsyncConnection, ids: list[UUID]) -> dict[UUID, State]:
        """The rows of `ids` that are there, locked against changes."""
        states = {}
        for row in map(dict, (await connection.execute(self.sql.load, {"id": ids})).mappings()):
            states[row.pop("id")] = State(row.pop("version"), row)
        return states

    async def load_absent(self, connection: AsyncConnection, ids: list[UUID]) -> dict[UUID, State]:
        """The states of `ids` that are kept aside."""
        columns = [c for c in self.projection.columns if c not in ("id", "version")]
        return {
            row["entity_id"]: State(
                row["at_version"],
                None if row["reason"] in GONE else {c: row[f"state_{c}"] for c in columns},
                erased=row["reason"] == "erased",
            )
            for row in (await connection.execute(self.sql.load_absent, {"id": ids})).mappings()
        }

    async def missing_parents(
        self, connection: AsyncConnection, parent: Relation, rows: Iterable[Row]
    ) -> dict[UUID, str]:
        """The parents of `rows` that are not there, each with the reason for which its children are kept aside."""
        wanted = list({row[parent.link.column] for row in rows})
        if not wanted:
            return {}
        found = await connection.execute(parent.sql.missing_parents, {"id": wanted})
        return {row.id: "parent_deleted" if row.reason in (*GONE, "parent_deleted") else "no_parent" for row in found}

    async def holders(self, connection: AsyncConnection, column: str, values: Collection[Any]) -> dict[Any, UUID]:
        """Who has which of these `values` of a unique column."""
        found = await connection.execute(self.sql.holders[column], {"value": list(values)})
        return {row.value: row.id for row in found}

    async def vacate(self, connection: AsyncConnection, ids: list[UUID]) -> None:
        """Empty the unique columns of rows that are about to get new values, so that they can be swapped."""
        if ids and self.sql.vacate is not None:
            await connection.execute(self.sql.vacate, {"id": ids})

    async def upsert(self, connection: AsyncConnection, rows: Sequence[Row]) -> set[UUID]:
        """Insert or update `rows`; returns the ids that the table refused, its version being no lower."""
        if not rows:
            return set()
        values = self._arrays(rows)
        if self.sql.move_unique is not None and max(values["version"]) > 1:
            columns = ("id", "version", *self.projection.unique)
            await connection.execute(self.sql.move_unique, {name: values[name] for name in columns})
        return {row.id for row in await connection.execute(self.sql.upsert, values)}

    async def delete(self, connection: AsyncConnection, ids: list[UUID]) -> None:
        if ids:
            await connection.execute(self.sql.delete, {"id": ids})

    async def put_aside(self, connection: AsyncConnection, asides: Collection[Aside]) -> None:
        """Keep these states aside; Conflict where a newer one is kept already."""
        if asides:
            values = self._arrays([aside.row for aside in asides])
            values["reason"] = [aside.reason for aside in asides]
            values["waiting_for"] = [aside.waiting_for for aside in asides]
            put = await connection.execute(self.sql.put_aside, values)
            if put.rowcount != len(asides):
                raise Conflict("a state kept aside moved")

    async def drop_absent(self, connection: AsyncConnection, ids: list[UUID]) -> None:
        if ids:
            await connection.execute(self.sql.drop_absent, {"id": ids})

    async def hide_children(self, connection: AsyncConnection, ids: list[UUID]) -> None:
        """Take the children of `ids` aside, before `ids` go."""
        if ids:
            for child in self._children:
                await connection.execute(child.sql.hide, {"id": ids})
                await connection.execute(child.sql.orphaned, {"id": ids})

    async def release_children(self, connection: AsyncConnection, ids: list[UUID]) -> int:
        """Show the children that waited for `ids`; returns how many."""
        released = 0
        if ids:
            for child in self._children:
                released += len((await connection.execute(child.sql.release, {"id": ids})).all())
        return released

    def _arrays(self, rows: Sequence[Row]) -> dict[str, list[Any]]:
        return {column: [row.get(column) for row in rows] for column in self.projection.columns}
