"""Single records of the log, by offset: beside the group, without moving anything."""

import asyncio

import aiokafka.errors
from aiokafka import AIOKafkaConsumer, TopicPartition

from neon_projector.consumer.kafka.errors import kafka_translated
from neon_projector.consumer.kafka.reading_client import ReadsBeside, partitions_of
from neon_projector.consumer.kafka.record_batches import Unreadable
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.record import Record

ANSWER_SECONDS = 10.0


class Records(ReadsBeside):
    """Reads one record at a time; it connects with the first one. TransientError where Kafka does not answer."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._known: dict[str, set[TopicPartition]] = {}

    async def at(self, topic: str, partition: int, offset: int) -> Record | None:
        """The record at `offset`; None where Kafka has none there (any more), or only a damaged one."""
        try:
            found = await self.first_from(topic, partition, offset, offset + 1)
        except Unreadable:
            return None
        return found if found is not None and found.offset == offset else None

    async def first_from(self, topic: str, partition: int, offset: int, until: int | None = None) -> Record | None:
        """The first record from `offset` on; None where only markers are there up to `until` (default: the end).
        Unreadable where it is in a damaged batch."""
        with kafka_translated():
            client = await self.connected()
            where = TopicPartition(topic, partition)
            if where not in await self._partitions(client, topic):
                return None
            client.assign([where])
            first, last = await client.beginning_offsets([where]), await client.end_offsets([where])
            if not first[where] <= offset < last[where]:
                return None
            client.seek(where, offset)
            return await _next(client, where, last[where] if until is None else until)

    async def _partitions(self, client: AIOKafkaConsumer, topic: str) -> set[TopicPartition]:
        """The topic's partitions; none where there is no such topic, which is asked for again each time."""
        known = self._known.get(topic) or await partitions_of(client, [topic])
        self._known[topic] = known
        return known


async def _next(client: AIOKafkaConsumer, where: TopicPartition, until: int) -> Record | None:
    """The next record from where the client stands; None where it passes `until` without one."""
    deadline = asyncio.get_running_loop().time() + ANSWER_SECONDS
    while await client.position(where) < until:
        try:
            found = await client.getmany(where, timeout_ms=500, max_records=1)
        except aiokafka.errors.OffsetOutOfRangeError:
            return None
        for record in found.get(where, ()):
            one: Record = record
            return one
        if asyncio.get_running_loop().time() > deadline:
            raise TimeoutError
    return None
