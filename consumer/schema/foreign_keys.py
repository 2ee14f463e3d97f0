"""Foreign keys of others into the tables that applications read, each with what it does when a row goes.

A row goes when its entity is deleted, and also when it is only hidden. docs/reading.md has the way without any.
"""

from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.recovery.constraints import Constraints
from neon_projector.projections.contract.projection import Registry

REFUSES = "refuses the deletion: the event becomes a dead letter, and so does one that would hide the row"
FORGETS = "forgets the reference for good, also when the row is only hidden and comes back"
WHEN_A_ROW_GOES = {
    "a": ("NO ACTION", REFUSES),
    "r": ("RESTRICT", REFUSES),
    "c": ("CASCADE", "deletes your rows for good, also when the row that they refer to is only hidden and comes back"),
    "n": ("SET NULL", FORGETS),
    "d": ("SET DEFAULT", FORGETS),
}
"""By `pg_constraint.confdeltype`: what follows ON DELETE, and what that does."""

_INTO = text("""
    SELECT CAST(f.conname AS text) AS name, format('%I.%I', n.nspname, t.relname) AS table,
        CAST(f.confdeltype AS text) AS on_delete, rn.nspname || '.' || r.relname AS into, own.columns,
        referred.columns AS referred, n.nspname || '.' || t.relname AS plain
    FROM pg_catalog.pg_constraint f
    JOIN pg_catalog.pg_class t ON t.oid = f.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
    JOIN pg_catalog.pg_class r ON r.oid = f.confrelid JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace,
    LATERAL (SELECT array_agg(CAST(a.attname AS text) ORDER BY k.place) AS columns
        FROM unnest(f.conkey) WITH ORDINALITY AS k(number, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.number) own,
    LATERAL (SELECT array_agg(CAST(a.attname AS text) ORDER BY k.place) AS columns
        FROM unnest(f.confkey) WITH ORDINALITY AS k(number, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.number) referred
    WHERE f.contype = 'f' AND f.conparentid = 0 AND rn.nspname || '.' || r.relname = ANY(CAST(:tables AS text[]))
        AND coalesce(to_jsonb(f) ->> 'conenforced', 'true') = 'true'
    ORDER BY 4, 2, 1""")
"""A partition's own copy of a constraint is left out, and what is NOT ENFORCED (since PostgreSQL 18)."""


class ForeignKey(NamedTuple):
    """A constraint `name` of `table`, from `columns` to the columns `referred` of the table `into`."""

    name: str
    table: str
    columns: list[str]
    into: str
    referred: list[str]
    on_delete: str
    """`NO ACTION`, `RESTRICT`, `CASCADE`, `SET NULL` or `SET DEFAULT`."""
    harm: str
    """What it does, as the end of a sentence that begins with the constraint."""

    def __str__(self) -> str:
        place = f"{self.table} ({', '.join(self.columns)})"
        return f"{self.name} of {place} into {self.into}, ON DELETE {self.on_delete}: {self.harm}"


async def foreign_keys_of_others(connection: AsyncConnection, registry: Registry) -> list[ForeignKey]:
    """Those that are not this service's own, by table and columns. Nothing but the catalogs is read."""
    ours = Constraints(registry).parents
    found = await connection.execute(_INTO, {"tables": [projection.table_name for projection in registry]})
    return [_read(row) for row in found if (row.plain, *row.columns, row.into) not in ours]


def _read(row: Any) -> ForeignKey:
    action, harm = WHEN_A_ROW_GOES[row.on_delete]
    if row.referred != ["id"]:
        harm += f"; it may refuse or follow a change of {', '.join(row.referred)}, too"
    return ForeignKey(row.name, row.table, row.columns, row.into, row.referred, action, harm)
