"""Switches the change log on and off, and tells how it stands."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.admin.operations import audit as operations
from neon_projector.consumer.admin.retry_conflicts import retry_conflicts
from neon_projector.consumer.apply.lock import LOCK_KEY
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.schema import change_log
from neon_projector.consumer.schema.giving_way import giving_way
from neon_projector.models.change_log import CHANGES
from neon_projector.projections.contract.projection import Registry

_OPEN = "xid >= CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)"
_ALONE = text(f"SELECT pg_advisory_xact_lock({LOCK_KEY})")
"""Waits for the transactions of the service, so that it and the triggers never wait for each other."""
_STANDS = text(f"""
    SELECT (SELECT count(*) FROM {CHANGES} WHERE size > 0) AS rows,
        (SELECT coalesce(sum(size), 0) FROM {CHANGES}) AS ids,
        (SELECT min(at) FROM {CHANGES}) AS oldest, (SELECT max(at) FROM {CHANGES}) AS newest,
        (SELECT count(*) FROM {CHANGES} WHERE {_OPEN}) AS held_back""")


async def enable(engine: AsyncEngine, registry: Registry) -> bool:
    """Begin a log; False: it was on already, and nothing was done."""
    return await _switch(engine, registry, on=True)


async def disable(engine: AsyncEngine, registry: Registry) -> bool:
    """End the log; False: it was off already, and nothing was done."""
    return await _switch(engine, registry, on=False)


async def status(engine: AsyncEngine, registry: Registry) -> dict[str, Any]:
    """`on` (tables with their triggers), `off` (those without), `rows` and `ids` of the log, the times of its `oldest`
    and `newest`, and how many rows are `held_back` from followers by a transaction that is still open."""
    tables = _tables(registry)
    with translated():
        async with engine.connect() as connection:
            on = await change_log.with_triggers(connection, tables)
            stands = (await connection.execute(_STANDS)).mappings().one()
    return {"on": on, "off": [table for table in tables if table not in on], **stands}


async def _switch(engine: AsyncEngine, registry: Registry, *, on: bool) -> bool:
    tables = _tables(registry)

    async def once() -> bool:
        async with engine.begin() as connection:
            await connection.execute(_ALONE)
            before = await change_log.with_triggers(connection, tables)
            if before == (tables if on else []) and await _has_begun(connection) is on:
                return False
            await (change_log.begin if on else change_log.end)(connection, tables)
            command = "changes enable" if on else "changes disable"
            await operations.record(connection, command, before=before, after=tables if on else [])
        return True

    async def attempt() -> bool:
        with translated():
            return await giving_way(engine, once)

    return await retry_conflicts(attempt)


async def _has_begun(connection: AsyncConnection) -> bool:
    """Whether followers can begin. A log that was copied from another server has rows of transactions to come."""
    return bool(await connection.scalar(text(f"SELECT EXISTS (SELECT FROM {CHANGES} WHERE NOT {_OPEN})")))


def _tables(registry: Registry) -> list[str]:
    return [projection.table_name for projection in registry]
