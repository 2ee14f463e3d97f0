"""Tells Kafka how far we are, for its lag tools. It is a hint: Postgres alone says where to read from."""

import asyncio
import logging
from collections.abc import Iterable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError

from neon_projector.consumer.kafka.consumer import GroupConsumer

log = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
"""How often offsets are committed to Kafka: more often than lag tools look; it costs something for each partition."""
COMMIT_SECONDS = 5.0


class Committer:
    """Remembers the positions that Kafka was not told yet."""

    def __init__(self, consumer: GroupConsumer) -> None:
        self._consumer = consumer
        self._positions: dict[TopicPartition, int] = {}

    def note(self, positions: Mapping[TopicPartition, int]) -> None:
        """These were committed to Postgres, or claimed from it."""
        self._positions |= positions

    def forget(self, partitions: Iterable[TopicPartition]) -> None:
        """These are no more ours."""
        for partition in partitions:
            self._positions.pop(partition, None)

    async def run(self) -> None:
        """Tell Kafka every second, until cancelled."""
        while True:
            await self.commit()
            await asyncio.sleep(PAUSE_SECONDS)

    async def commit(self) -> None:
        """Tell Kafka now."""
        positions, self._positions = self._positions, {}
        if ours := {p: offset for p, offset in positions.items() if p in self._consumer.partitions.reading}:
            await commit(self._consumer.client, ours)


async def commit(consumer: AIOKafkaConsumer, positions: Mapping[TopicPartition, int]) -> None:
    """What goes wrong here is of no consequence."""
    try:
        async with asyncio.timeout(COMMIT_SECONDS):
            await consumer.commit(dict(positions))
    except (KafkaError, ConsumerStoppedError, TimeoutError) as error:
        log.debug("the hint to Kafka failed", extra={"error": type(error).__name__})
