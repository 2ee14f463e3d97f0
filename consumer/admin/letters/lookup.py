"""Dead letters looked at: listed, counted, shown, exported. Their contents are as they are kept: masked and cut."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.admin.letters.filter import Filter
from neon_projector.consumer.recovery.translate import translated
from neon_projector.models.control.waiting import DEAD_LETTERS

Row = dict[str, Any]

SHOWN = (
    """id, topic, partition, "offset", reason, error, event_id, source, type, entity_id, attempts, created_at, status"""
)
KEPT = f"{SHOWN}, sha256, key, headers, header_count, value, value_length"
PAGE = 200
"""Letters exported by one statement: each may hold 64 KiB."""


@dataclass(frozen=True)
class Chosen:
    """The letters that a filter means at one moment: how many, and the lowest and highest id (0: none)."""

    number: int
    first: int
    last: int


async def chosen(engine: AsyncEngine, which: Filter) -> Chosen:
    """How many there are of `which`, and up to which id: what comes later is not meant."""
    select = f"SELECT count(*) AS number, min(id) AS first, max(id) AS last FROM {DEAD_LETTERS} WHERE {which.condition}"
    with translated():
        async with engine.connect() as connection:
            row = (await connection.execute(text(select), which.values)).one()
    return Chosen(row.number, row.first or 0, row.last or 0)


async def numbers(engine: AsyncEngine, which: Filter) -> list[int]:
    """Their ids."""
    select = f"SELECT id FROM {DEAD_LETTERS} WHERE {which.condition} ORDER BY id"
    with translated():
        async with engine.connect() as connection:
            return list((await connection.execute(text(select), which.values)).scalars())


async def listed(engine: AsyncEngine, which: Filter, limit: int) -> list[Row]:
    """The newest, without their contents."""
    return await _newest(engine, SHOWN, which, limit)


async def shown(engine: AsyncEngine, which: Filter, limit: int) -> list[Row]:
    """The newest, with key, headers and value."""
    return await _newest(engine, KEPT, which, limit)


async def summary(engine: AsyncEngine, which: Filter, limit: int) -> list[Row]:
    """How many there are of each source, type and reason, most first; with the newest one's id and time."""
    select = f"""
        SELECT count(*) AS letters, reason, type, source, max(created_at) AS newest, max(id) AS newest_id
        FROM {DEAD_LETTERS} WHERE {which.condition}
        GROUP BY source, type, reason ORDER BY 1 DESC, 2, 3, 4 LIMIT :limit"""
    with translated():
        async with engine.connect() as connection:
            return await _rows(connection, select, limit=limit, **which.values)


async def exported(engine: AsyncEngine, which: Filter) -> AsyncIterator[Row]:
    """All of them with their contents, the oldest first."""
    select = f"SELECT {KEPT} FROM {DEAD_LETTERS} WHERE {which.condition} AND id > :after ORDER BY id LIMIT {PAGE}"
    after = 0
    with translated():
        async with engine.connect() as connection:
            while page := await _rows(connection, select, after=after, **which.values):
                for row in page:
                    yield row
                after = page[-1]["id"]


async def _newest(engine: AsyncEngine, columns: str, which: Filter, limit: int) -> list[Row]:
    select = f"SELECT {columns} FROM {DEAD_LETTERS} WHERE {which.condition} ORDER BY id DESC LIMIT :limit"
    with translated():
        async with engine.connect() as connection:
            return await _rows(connection, select, limit=limit, **which.values)


async def _rows(connection: AsyncConnection, select: str, **values: Any) -> list[Row]:
    return [dict(row) for row in (await connection.execute(text(select), values)).mappings()]
