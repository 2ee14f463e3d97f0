"""Which constraint is ours: told by its table and columns, as an application may have its own on our tables.

A name tells nothing: REINDEX CONCURRENTLY works on copies (`…_ccnew`, `…_ccold`), and anybody may rename an index or
make a second one. A unique index is ours where it means what we mean by unique: no expression, no condition, and
values compared byte by byte (so none over `citext` or with a collation that is not deterministic).
"""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.models import CONTROL_SCHEMA
from neon_projector.projections.contract.projection import Registry

_UNIQUE = text("""
    SELECT ARRAY(
            SELECT CAST(a.attname AS text) FROM unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
            WHERE k.place <= i.indnkeyatts) AS columns,
        i.indpred IS NULL AND i.indexprs IS NULL
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_collation c WHERE c.oid = ANY(i.indcollation) AND NOT c.collisdeterministic)
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_opclass o
            WHERE o.oid = ANY(i.indclass) AND o.opcnamespace <> CAST('pg_catalog' AS regnamespace)) AS plain
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class own ON own.oid = i.indexrelid
    JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
    WHERE t.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = :schema)
        AND t.relname = :table AND own.relname = :name AND i.indisunique""")
_FOREIGN = text("""
    SELECT (SELECT CAST(a.attname AS text) FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = f.conrelid AND f.conkey = ARRAY[a.attnum]) AS column,
        (SELECT n.nspname || '.' || r.relname FROM pg_catalog.pg_class r
            JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace WHERE r.oid = f.confrelid) AS parent
    FROM pg_catalog.pg_constraint f JOIN pg_catalog.pg_class t ON t.oid = f.conrelid
    WHERE t.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = :schema)
        AND t.relname = :table AND f.conname = :name AND f.contype = 'f'""")


class Constraints:
    """The unique values and the parents that the projections rely on."""

    def __init__(self, registry: Registry) -> None:
        self._unique = {(p.table_name, column) for p in registry for column in ("id", *p.unique)}
        self.parents = {
            (p.table_name, parent.column, registry[parent.entity].table_name) for p in registry for parent in p.parents
        }
        """Each foreign key of ours: table, column, table that it refers to."""

    async def are_ours(self, connection: AsyncConnection, schema: str, table: str, name: str) -> bool:
        """Whether this constraint or unique index is one of ours. One that is not there any more is taken so: what is
        decided again comes through, or names another."""
        if schema == CONTROL_SCHEMA:
            return True
        place, values = f"{schema}.{table}", {"schema": schema, "table": table, "name": name}
        unique, foreign = await _first(connection, _UNIQUE, values), await _first(connection, _FOREIGN, values)
        if unique is not None:
            return unique.plain and len(unique.columns) == 1 and (place, unique.columns[0]) in self._unique
        return foreign is None or (place, foreign.column, foreign.parent) in self.parents


async def _first(connection: AsyncConnection, select: Any, values: dict[str, str]) -> Any:
    return (await connection.execute(select, values)).first()
