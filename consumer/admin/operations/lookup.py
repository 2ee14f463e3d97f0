"""Operations as an operator sees them: listed, shown, cancelled."""

from contextlib import suppress
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.operations import left_behind
from neon_projector.consumer.admin.operations.about import COLUMNS, about
from neon_projector.consumer.admin.operations.left_behind import SILENT
from neon_projector.consumer.admin.operations.operation import OPERATIONS, RESUMABLE
from neon_projector.consumer.errors import Refused, TransientError
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.stored_json import json_of

Row = dict[str, Any]

_JSON = ("filter", "ranges", "position", "before", "after")
_COLUMNS = f"""
    id, command, actor, state, {SILENT} AS silent, epoch, done, total, started_at, updated_at, finished_at,
    extract(epoch FROM coalesce(finished_at, updated_at) - started_at)::float8 AS seconds"""
_LIST = text(f"""
    SELECT {_COLUMNS}, outcome, error, {COLUMNS} FROM {OPERATIONS}
    WHERE (NOT CAST(:open AS boolean) OR state = ANY(CAST(:resumable AS text[])))
    ORDER BY id DESC LIMIT :limit""")
_SHOW = text(f"SELECT {_COLUMNS}, {', '.join(_JSON)}, outcome, error FROM {OPERATIONS} WHERE id = :id")
_LIMIT = text(f"""
    UPDATE {OPERATIONS}
    SET filter = coalesce(filter, '{{}}') || jsonb_build_object('max_rate', CAST(:max_rate AS float8))
    WHERE id = :id AND state = ANY(CAST(:resumable AS text[]))""")
_CANCEL = text(f"""
    UPDATE {OPERATIONS} SET state = 'cancelled', epoch = epoch + 1, updated_at = now(), finished_at = now()
    WHERE id = :id AND state = ANY(CAST(:resumable AS text[]))""")


async def listed(engine: AsyncEngine, limit: int, *, unfinished: bool = False) -> list[Row]:
    """The newest first. `silent`: it runs, and its runner has given no sign of life for half a minute. `about`: which
    topics, entities and how many ids it was about."""
    values = {"limit": limit, "open": unfinished, "resumable": list(RESUMABLE)}
    with translated():
        async with engine.connect() as connection:
            return [_with_about(dict(row)) for row in (await connection.execute(_LIST, values)).mappings()]


def _with_about(row: Row) -> Row:
    asked = (json_of(row["asked_before"]) or {}) | (json_of(row["asked"]) or {})
    told = {name: value for name, value in row.items() if name not in ("asked", "asked_before", "moved", "named")}
    return told | {"about": about(row, asked)}


async def shown(engine: AsyncEngine, operation_id: int) -> Row:
    """One, with all that is known of it; Refused where there is none."""
    with translated():
        async with engine.connect() as connection:
            row = (await connection.execute(_SHOW, {"id": operation_id})).mappings().first()
    if row is None:
        raise Refused(f"there is no operation {operation_id}")
    return {name: json_of(value) if name in _JSON else value for name, value in row.items()}


async def limit(engine: AsyncEngine, operation_id: int, max_rate: float | None) -> None:
    """From its next resume on, so many records or letters a second at most (None: no limit). It is how fast the work
    goes, and no part of what it does. Nothing happens where it has ended already."""
    with translated():
        async with engine.begin() as connection:
            await connection.execute(_LIMIT, {"id": operation_id, "max_rate": max_rate, "resumable": list(RESUMABLE)})


async def cancel(engine: AsyncEngine, operation_id: int) -> Row:
    """End it for good: its runner, if there is one, changes nothing any more and stops within seconds. What it has
    committed stays; what it kept aside goes. Refused where it has ended already."""
    with translated():
        async with engine.begin() as connection:
            values = {"id": operation_id, "resumable": list(RESUMABLE)}
            cancelled = (await connection.execute(_CANCEL, values)).rowcount
    row = await shown(engine, operation_id)
    if not cancelled:
        raise Refused(f"operation {operation_id} is {row['state']} already")
    with suppress(TransientError):  # the runner is using a table still; the next operation drops it
        await left_behind.sweep(engine)
    return row
