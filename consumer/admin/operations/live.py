"""How far the live service is behind, as long work asks it: by its stored positions and the ends of the topics."""

import asyncio
import time
from contextlib import suppress

from aiokafka import TopicPartition
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.errors import ProjectorError
from neon_projector.consumer.kafka.errors import kafka_translated
from neon_projector.consumer.kafka.reading_client import ReadsBeside
from neon_projector.consumer.offsets.store import OFFSETS
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings

AWAY_SECONDS = 30
"""A partition whose position has not moved for so long is not being read: nobody is slowed by us there."""
ANSWER_SECONDS = 2.0
LEAST_SECONDS = 1.0
"""What is published is counted over no shorter time: a burst is not a rate."""
LEAST_RATE = 100.0
"""Of a topic that brings fewer records a second, a few that are just under way are no sign of anything."""

_POSITIONS = text(f"""
    SELECT topic, partition, next_offset FROM {OFFSETS}
    WHERE group_id = :group_id AND updated_at > now() - make_interval(secs => {AWAY_SECONDS})""")


class Live(ReadsBeside):
    """Asks the database, and Kafka with a client of its own, which connects at the first question."""

    def __init__(self, engine: AsyncEngine, settings: Settings) -> None:
        super().__init__(settings)
        self._engine = engine
        self._ends: dict[TopicPartition, int] = {}
        self._asked_at = 0.0

    async def behind(self) -> float:
        """Seconds: what is published and not yet applied, by how much is published in a second. 0 where nobody reads,
        or a server does not answer: then there is nobody to give way to."""
        with suppress(ProjectorError, TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._behind()
        return 0.0

    async def _behind(self) -> float:
        read = await self._positions()
        if not read:
            return 0.0
        with kafka_translated():
            ends: dict[TopicPartition, int] = await (await self.connected()).end_offsets(list(read))
        now, before = time.monotonic(), self._ends
        rate = sum(ends[p] - before.get(p, ends[p]) for p in ends) / max(now - self._asked_at, LEAST_SECONDS)
        self._ends, self._asked_at = ends, now
        applied = await self._positions()  # after the ends: what came before these had that long
        left = sum(max(0, ends[p] - applied.get(p, read[p])) for p in ends)
        return left / max(rate, LEAST_RATE)

    async def _positions(self) -> dict[TopicPartition, int]:
        with translated():
            async with self._engine.connect() as connection:
                rows = await connection.execute(_POSITIONS, {"group_id": self._settings.kafka_group_id})
                return {TopicPartition(row.topic, row.partition): row.next_offset for row in rows}
