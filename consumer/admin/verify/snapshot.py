"""Takes one snapshot of the positions, the tables and what waits, into tables of its own."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import TopicPartition
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.offsets.store import OFFSETS
from neon_projector.consumer.recovery.translate import translated
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.sql.verify import tables
from neon_projector.projections.sql.verify.tables import Scope, Side

_POSITIONS = text(f"""
    SELECT topic, partition, next_offset FROM {OFFSETS} WHERE group_id = :group_id ORDER BY topic, partition""")

_IS_THERE = text("SELECT to_regclass(:name) IS NOT NULL")

Positions = Mapping[TopicPartition, int]


async def positions_now(engine: AsyncEngine, group_id: str) -> Positions:
    """The stored positions of the group."""
    with translated():
        async with engine.connect() as connection:
            return _as_positions((await connection.execute(_POSITIONS, {"group_id": group_id})).all())


async def take(
    engine: AsyncEngine, group_id: str, registry: Registry, side: Side, scope: Scope, known: asyncio.Future[Positions]
) -> None:
    """Copy everything; the transaction is open as long as that takes. `known` gets the positions at its beginning: the
    topics can be read meanwhile."""
    with translated():
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ")
            rows = (await connection.execute(_POSITIONS, {"group_id": group_id})).all()
            known.set_result(_as_positions(rows))
            for statement in tables.snapshot(registry, side, scope):
                await connection.execute(statement)
            for empty in tables.expected(registry, side, scope):
                await connection.execute(text(empty))
            await connection.commit()


async def is_there(engine: AsyncEngine, side: Side) -> bool:
    """Whether the copy is still there. Cleaning up may have dropped it."""
    with translated():
        async with engine.connect() as connection:
            found = (await connection.execute(_IS_THERE, {"name": side.mark})).scalar_one()
            return found and await is_whole(connection, side)


async def is_whole(connection: AsyncConnection, side: Side) -> bool:
    """Whether the server still has what was copied: a crash empties it."""
    return (await connection.execute(tables.whole(side))).first() is not None


def ranges_of(positions: Positions) -> dict[str, list[int]]:
    """For the operation: from the beginning to the positions."""
    return {f"{p.topic}:{p.partition}": [0, end] for p, end in positions.items()}


def _as_positions(rows: Iterable[Any]) -> Positions:
    return {TopicPartition(row.topic, row.partition): row.next_offset for row in rows}


def goes_on(before: Positions, after: Positions) -> bool:
    """Whether what was read up to the positions `before` is a part of what must be read up to `after`."""
    return before.keys() == after.keys() and all(end >= before[partition] for partition, end in after.items())
