"""Takes one snapshot of the positions, the tables and what waits, into tables of its own."""

import asyncio
from collections.abc import Mapping

from aiokafka import TopicPartition
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.offsets.store import OFFSETS
from neon_projector.consumer.recovery.translate import translated
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.sql.verify import tables
from neon_projector.projections.sql.verify.tables import Scope, Side

_POSITIONS = text(f"""
    SELECT topic, partition, next_offset FROM {OFFSETS} WHERE group_id = :group_id ORDER BY topic, partition""")

Positions = Mapping[TopicPartition, int]


async def take(
    engine: AsyncEngine, group_id: str, registry: Registry, side: Side, scope: Scope, known: asyncio.Future[Positions]
) -> None:
    """Copy everything; the transaction is open as long as that takes. `known` gets the positions at its beginning: the
    topics can be read meanwhile."""
    with translated():
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ")
            rows = (await connection.execute(_POSITIONS, {"group_id": group_id})).all()
            known.set_result({TopicPartition(row.topic, row.partition): row.next_offset for row in rows})
            for statement in tables.snapshot(registry, side, scope):
                await connection.execute(text(statement))
            for statement in tables.expected(registry, side, scope):
                await connection.execute(text(statement))
            await connection.commit()


def goes_on(before: Positions, after: Positions) -> bool:
    """Whether what was read up to the positions `before` is a part of what must be read up to `after`."""
    return before.keys() == after.keys() and all(end >= before[partition] for partition, end in after.items())
