"""What long work keeps aside in the database beside its row, and how it goes: with its end, or with the next work.

That is: tables `projector.operation_<id>_…` of any name, and positions of the group `operation:<id>`. A runner that was
killed leaves both. They go when their operation is completed or cancelled, when its row is gone, and also when it has
failed (at once where the database's disk is full) or shows no sign of life: then it can still be resumed, but begins
again what it had kept in tables.
"""

from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.admin.operations.operation import OPERATIONS
from neon_projector.consumer.offsets.store import OFFSETS
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import NOT_A_GROUP
from neon_projector.models import CONTROL_SCHEMA

SILENT_SECONDS = 30.0
"""A runner that has given no sign of life for so long counts as dead. It gives one every two seconds."""
GROUP = NOT_A_GROUP
"""Before the id: the name under which long work keeps positions of its own in `projector.offsets`."""

SILENT = f"state IN ('started', 'running') AND updated_at < now() - interval '{SILENT_SECONDS} seconds'"
_TABLES = text(f"""
    SELECT c.relname AS name, CAST(substring(c.relname FROM '^operation_([0-9]{{1,18}})_') AS bigint) AS id
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = '{CONTROL_SCHEMA}' AND c.relkind = 'r' AND c.relname ~ '^operation_[0-9]{{1,18}}_'
        AND pg_has_role(c.relowner, 'USAGE')
    ORDER BY 1""")
_SOON = text("SELECT set_config('lock_timeout', '2s', true)")
_DEAD = text(f"""
    SELECT v.id FROM unnest(CAST(:ids AS bigint[])) AS v(id) LEFT JOIN {OPERATIONS} o USING (id)
    WHERE o.id IS NULL OR o.state IN ('completed', 'cancelled', 'failed') OR ({SILENT})""")
_FORGET = text(f"""
    DELETE FROM {OFFSETS} p WHERE group_id ~ '^{GROUP}[0-9]+$' AND NOT EXISTS (
        SELECT FROM {OPERATIONS} o
        WHERE p.group_id = '{GROUP}' || o.id AND o.state NOT IN ('completed', 'cancelled'))""")


def group_of(operation_id: int) -> str:
    """The group's name for positions of this operation."""
    return f"{GROUP}{operation_id}"


def table_of(operation_id: int, name: str) -> str:
    """The qualified name of one of its side tables: `projector.operation_17_rows`."""
    return f"{CONTROL_SCHEMA}.operation_{operation_id}_{name}"


async def drop_tables(connection: AsyncConnection, ids: Iterable[int]) -> list[str]:
    """Within a transaction: drop all side tables of these operations that are ours to drop; returns their names."""
    wanted = set(ids)
    await connection.execute(_SOON)
    names = [row.name for row in await connection.execute(_TABLES) if row.id in wanted]
    for name in names:
        await connection.execute(text(f'DROP TABLE IF EXISTS {CONTROL_SCHEMA}."{name}"'))
    return names


async def sweep(engine: AsyncEngine) -> list[str]:
    """Drop what dead operations have left; returns the names of the tables that are gone. TransientError where one is
    in use: the next sweep drops it."""
    with translated():
        async with engine.begin() as connection:
            found = sorted({row.id for row in await connection.execute(_TABLES)})
            dead = [row.id for row in await connection.execute(_DEAD, {"ids": found})] if found else []
            names = await drop_tables(connection, dead) if dead else []
            await connection.execute(_FORGET)
    return names
