"""Tells Kafka how far we are, for its lag tools. It is a hint: Postgres alone says where to read from."""

import asyncio
import logging
import time
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
        self._failing_since: float | None = None

    @property
    def stale_seconds(self) -> float:
        """For how long Kafka has not taken what it was told; 0 when the last answer was a good one."""
        return 0.0 if self._failing_since is None else time.monotonic() - self._failing_since

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
        """Tell Kafka now. What it does not take, it is told again with the next, unless it is no more ours."""
        positions, self._positions = self._of_ours(self._positions), {}
        if not positions or await commit(self._consumer.client, positions):
            self._failing_since = None
        else:
            self._failing_since = self._failing_since or time.monotonic()
            self._positions = self._of_ours(positions) | self._positions

    def _of_ours(self, positions: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        reading = self._consumer.partitions.reading
        return {partition: offset for partition, offset in positions.items() if partition in reading}


async def commit(consumer: AIOKafkaConsumer, positions: Mapping[TopicPartition, int]) -> bool:
    """Whether Kafka took it. What goes wrong here is of no consequence."""
    try:
        async with asyncio.timeout(COMMIT_SECONDS):
            await consumer.commit(dict(positions))
    except (KafkaError, ConsumerStoppedError, TimeoutError) as error:
        log.debug("the hint to Kafka failed", extra={"error": type(error).__name__})
        return False
    return True
