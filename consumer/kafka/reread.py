"""Reads partitions once more, from the first record that Kafka has up to given positions, beside the group."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

import aiokafka.errors
from aiokafka import AIOKafkaConsumer, TopicPartition

from neon_projector.consumer.errors import TransientError
from neon_projector.consumer.kafka.client import client_options
from neon_projector.consumer.kafka.record_batches import Unreadable
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.record import Record

FETCH_MS = 500
READ_AT_ONCE = 5_000
STALLED_SECONDS = 30.0
"""A partition that has more records, but brings none for so long, can't be read now."""


class Reread:
    """Iterate `records`; afterwards `unreadable` tells which part of the positions Kafka could not give."""

    def __init__(
        self, settings: Settings, positions: Mapping[TopicPartition, int], progress: Callable[[int, int], None]
    ) -> None:
        self._settings = settings
        self._positions = positions
        self._progress = progress
        self._left: dict[TopicPartition, int] = {}
        """Partitions that are not yet read up to here."""
        self._done = 0
        self.unreadable: list[str] = []
        """Sentences that begin with `topic:partition`."""

    async def records(self) -> AsyncIterator[Sequence[Record]]:
        """All records before the positions, some of a partition at a time; TransientError where none come any more."""
        wanted = {partition: end for partition, end in self._positions.items() if end > 0}
        if not wanted:
            return
        client = AIOKafkaConsumer(
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level=self._settings.kafka_isolation_level,
            **client_options(self._settings),
        )
        await client.start()
        try:
            self._left = await self._reachable(client, wanted)
            async for records in self._read(client):
                yield records
        finally:
            await client.stop()

    async def _reachable(
        self, client: AIOKafkaConsumer, wanted: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, int]:
        """How far each can be read; what is missing at either end is reported."""
        there = await _partitions(client, {partition.topic for partition in wanted})
        for partition in sorted(wanted.keys() - there):
            self._tell(partition, f"Kafka has no such partition; the position is {wanted[partition]}")
        partitions = sorted(wanted.keys() & there)
        client.assign(partitions)
        first = await client.beginning_offsets(partitions) if partitions else {}
        last = await client.end_offsets(partitions) if partitions else {}
        for partition in partitions:
            client.seek(partition, first[partition])
            if first[partition] > 0:
                self._tell(partition, f"Kafka no longer has the records before offset {first[partition]}")
            if (end := last[partition]) < wanted[partition]:
                self._tell(partition, f"the position {wanted[partition]} is past the end of the topic, {end}")
        return {p: min(wanted[p], last[p]) for p in partitions if first[p] < min(wanted[p], last[p])}

    async def _read(self, client: AIOKafkaConsumer) -> AsyncIterator[Sequence[Record]]:
        total, clock = sum(self._left.values()), asyncio.get_running_loop().time
        client.pause(*(client.assignment() - self._left.keys()))
        read, moved_at = 0, clock()
        stands = {partition: await client.position(partition) for partition in self._left}
        while self._left:
            try:
                fetched = await client.getmany(*self._left, timeout_ms=FETCH_MS, max_records=READ_AT_ONCE)
            except aiokafka.errors.OffsetOutOfRangeError as error:
                self._forgotten(client, error.args[0])
                continue
            except Unreadable as error:
                self._damaged(client, stands, error)
                continue
            except aiokafka.errors.NoOffsetForPartitionError:
                continue  # asked before the first offset was known
            for partition, records in fetched.items():
                yield [record for record in records if record.offset < self._left[partition]]
            stands = {partition: await client.position(partition) for partition in self._left}
            for partition, position in stands.items():
                if position >= self._left[partition]:
                    client.pause(partition)
                    self._done += self._left.pop(partition)
            before, read = read, self._done + sum(stands[partition] for partition in self._left)
            moved_at = clock() if read != before else moved_at
            if clock() - moved_at > STALLED_SECONDS:
                names = ", ".join(f"{p.topic}:{p.partition}" for p in sorted(self._left))
                raise TransientError(f"for {STALLED_SECONDS:.0f} s Kafka has given no more of {names}", "kafka")
            self._progress(read, total)
            await asyncio.sleep(0)

    def _forgotten(self, client: AIOKafkaConsumer, positions: Mapping[TopicPartition, int]) -> None:
        """Retention, or somebody, has deleted what was to be read next."""
        for partition, offset in positions.items():
            client.pause(partition)
            self._done += self._left.pop(partition, 0)
            self._tell(partition, f"while this was reading, Kafka has deleted the records from offset {offset} on")

    def _damaged(self, client: AIOKafkaConsumer, stands: dict[TopicPartition, int], error: Unreadable) -> None:
        """Step over the batch, where it is known how far it goes. What the client had taken of the others meanwhile is
        lost: it reads that again."""
        end = "on" if error.behind is None else f"to {error.behind - 1}"
        self._tell(error.partition, f"the records from offset {error.position} {end} can't be read")
        if error.behind is None:
            client.pause(error.partition)
            self._done += self._left.pop(error.partition, 0)
        else:
            stands[error.partition] = error.behind
        for partition in self._left:
            client.seek(partition, stands[partition])

    def _tell(self, partition: TopicPartition, what: str) -> None:
        self.unreadable.append(f"{partition.topic}:{partition.partition}: {what}")


async def _partitions(client: AIOKafkaConsumer, topics: Iterable[str]) -> set[TopicPartition]:
    """Those that Kafka has of these topics: to ask for the offsets of another would take for ever."""
    there = sorted((await client.topics()).intersection(topics))
    client.assign(first := [TopicPartition(topic, 0) for topic in there])
    if first:
        await client.beginning_offsets(first)  # brings the topics' metadata
    return {TopicPartition(t, number) for t in there for number in client.partitions_for_topic(t) or ()}
