"""The triggers that fill the change log (`models.change_log`): made, dropped, and looked at.

They are made on demand, so that who follows nothing pays nothing. bench/NOTES.md has what they cost.
"""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.models import CONTROL_SCHEMA
from neon_projector.models.change_log import CHANGES, EVERY_TRIGGER, NOTE_CHANGES, TRIGGERS

WHEN = {"INSERT": "AFTER", "UPDATE": "AFTER", "DELETE": "AFTER", "TRUNCATE": "BEFORE"}
ROWS = {"INSERT": "NEW", "UPDATE": "NEW", "DELETE": "OLD"}
"""The rows that the function finds as `changed`. For TRUNCATE there are none: it reads the table before."""
LOCK_SECONDS = 2
"""So long the triggers wait for somebody who uses a table. All who come later wait behind them meanwhile."""

_WHOLE = text(f"SELECT t.name FROM unnest(CAST(:tables AS text[])) AS t(name) WHERE {EVERY_TRIGGER.format('t.name')}")
_EMPTY = text(f"TRUNCATE {CHANGES}")
_BEGIN = text(
    f"INSERT INTO {CHANGES} (xid, table_name, size, ids, at) VALUES (0, '', 0, CAST('{{}}' AS uuid[]), "
    "clock_timestamp())"
)


async def with_triggers(connection: AsyncConnection, tables: Sequence[str]) -> list[str]:
    """Those of `tables` (`public.users`) that have all of them."""
    found = await connection.execute(_WHOLE, {"tables": list(tables)})
    return [row.name for row in found]


async def begin(connection: AsyncConnection, tables: Sequence[str]) -> None:
    """Make the triggers and a new log: who follows an earlier one reads everything again."""
    await end(connection, tables)
    for table in tables:
        for operation in TRIGGERS:
            rows = f"REFERENCING {ROWS[operation]} TABLE AS changed" if operation in ROWS else ""
            name = _name(operation)
            await connection.execute(
                text(
                    f"CREATE TRIGGER {name} {WHEN[operation]} {operation} ON {table} {rows} FOR EACH STATEMENT "
                    f"EXECUTE FUNCTION {CONTROL_SCHEMA}.{NOTE_CHANGES}()"
                )
            )
            await connection.execute(text(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"))
    await connection.execute(_BEGIN)


async def end(connection: AsyncConnection, tables: Sequence[str]) -> None:
    """Drop the triggers, and empty the log: who follows it is told that it is off."""
    await connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
    for table in tables:
        for operation in TRIGGERS:
            await connection.execute(text(f"DROP TRIGGER IF EXISTS {_name(operation)} ON {table}"))
    await connection.execute(_EMPTY)


def _name(operation: str) -> str:
    return f"{CONTROL_SCHEMA}_notes_{operation.lower()}"
