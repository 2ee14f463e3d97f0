"""Single records of the log, by offset: beside the group, without moving anything."""

import asyncio
from types import TracebackType
from typing import Self

import aiokafka.errors
from aiokafka import AIOKafkaConsumer, TopicPartition

from neon_projector.consumer.kafka.client import client_options
from neon_projector.consumer.kafka.errors import kafka_translated
from neon_projector.consumer.kafka.record_batches import Unreadable
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.record import Record

ANSWER_SECONDS = 10.0


class Records:
    """Reads one record at a time; it connects with the first one. TransientError where Kafka does not answer."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: AIOKafkaConsumer | None = None
        self._known: dict[str, set[int]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.stop()

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
            client = await self._started()
            where = TopicPartition(topic, partition)
            if partition not in await self._partitions(client, topic):
                return None
            client.assign([where])
            first, last = await client.beginning_offsets([where]), await client.end_offsets([where])
            if not first[where] <= offset < last[where]:
                return None
            client.seek(where, offset)
            return await _next(client, where, last[where] if until is None else until)

    async def _partitions(self, client: AIOKafkaConsumer, topic: str) -> set[int]:
        """The topic's partitions; none where there is no such topic: to ask for its offsets would take for ever."""
        if topic not in self._known and topic in await client.topics():
            first = TopicPartition(topic, 0)
            client.assign([first])
            await client.beginning_offsets([first])  # brings the topic's metadata
            self._known[topic] = client.partitions_for_topic(topic) or set()
        return self._known.get(topic, set())

    async def _started(self) -> AIOKafkaConsumer:
        if self._client is None:
            client = AIOKafkaConsumer(
                enable_auto_commit=False,
                auto_offset_reset="none",
                isolation_level=self._settings.kafka_isolation_level,
                **client_options(self._settings),
            )
            await client.start()
            self._client = client
        return self._client


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
