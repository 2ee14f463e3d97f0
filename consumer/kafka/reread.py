"""Reads partitions once more, up to given positions, beside the group."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import aiokafka.errors
from aiokafka import AIOKafkaConsumer, TopicPartition

from neon_projector.consumer.batch import Fetched
from neon_projector.consumer.errors import TransientError
from neon_projector.consumer.kafka.fetcher import ANSWER_BYTES, FETCH_BYTES, PARTITION_BYTES, fetch_without_pause
from neon_projector.consumer.kafka.mentions import Keyed, Mentions
from neon_projector.consumer.kafka.reading_client import partitions_of, reading_client, start
from neon_projector.consumer.kafka.record_batches import Unreadable
from neon_projector.consumer.offsets.claim import OffsetRange
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.record import Record

FETCH_MS, SIFT_MS = 500, 50
"""So long a fetch is waited for; where most records are left out, none comes to end the waiting."""
SIFT_BYTES = 8 * 1024 * 1024
"""Of one answer, where most records are left out."""
READ_AT_ONCE = 5_000
STALLED_SECONDS = 30.0
"""A partition that has more records, but brings none for so long, can't be read now."""


class Gap(NamedTuple):
    """Offsets of one partition, from `start` up to, not including, `end`, whose records Kafka could not give."""

    partition: TopicPartition
    start: int
    end: int


class Reread:
    """Iterate `records` or `parts`; afterwards `unreadable` and `gaps` tell what Kafka could not give."""

    def __init__(
        self,
        settings: Settings,
        positions: Mapping[TopicPartition, int],
        progress: Callable[[int, int], None],
        start: Mapping[TopicPartition, int] = MappingProxyType({}),
        *,
        over_gaps: bool = False,
        only: Mentions | Keyed | None = None,
        gone: Mapping[TopicPartition, str] = MappingProxyType({}),
    ) -> None:
        """`start`: where to begin; without it, and of other partitions, at the first record that Kafka has.
        `over_gaps`: where records are deleted while this reads, it goes on with those that Kafka still has.
        `only`: what can't be of these ids is left out as it is fetched; some others are given all the same.
        `gone`: partitions that are not read, as they are not what the positions mean, and why."""
        self._settings = settings
        self._positions, self._start, self._over_gaps = positions, start, over_gaps
        self._progress, self._only, self._gone = progress, only, gone
        self._left: dict[TopicPartition, int] = {}
        """Partitions that are not yet read up to here."""
        self._stands: dict[TopicPartition, int] = {}
        """The next offset of each partition, as far as it is handed over."""
        self._passed: list[Fetched] = []
        """Gaps that are still to be handed over, as parts without records."""
        self._done = 0
        self.unreadable: list[str] = []
        """Sentences that begin with `topic:partition`."""
        self.gaps: list[Gap] = []

    async def records(self) -> AsyncIterator[Sequence[Record]]:
        """All records before the positions, some of a partition at a time; TransientError where none come any more."""
        async for part in self.parts():
            if part.records:
                yield part.records

    async def parts(self) -> AsyncIterator[Fetched]:
        """The same with the offsets that they cover: those of one partition follow each other, from its start to its
        position. Where only markers stood, and in a gap, there are no records. The epoch is 0."""
        wanted = {partition: end for partition, end in self._positions.items() if end > self._start.get(partition, 0)}
        if not wanted:
            return
        least, most = PARTITION_BYTES
        client = reading_client(
            self._settings,
            max_partition_fetch_bytes=min(most, max(least, FETCH_BYTES // len(wanted))),
            fetch_max_bytes=ANSWER_BYTES if self._only is None else SIFT_BYTES,
            key_deserializer=None if self._only is None else self._only.any_in,
        )
        await start(client)
        fetch_without_pause(client)
        try:
            await self._seek(client, wanted)
            async for part in self._read(client):
                yield part
        finally:
            await client.stop()

    async def _seek(self, client: AIOKafkaConsumer, wanted: Mapping[TopicPartition, int]) -> None:
        """Go to where each begins, and see how far it can be read; what is missing at either end is told."""
        self._stands = {partition: self._start.get(partition, 0) for partition in wanted}
        there = await partitions_of(client, {partition.topic for partition in wanted})
        for partition in sorted(wanted.keys() - there):
            why = f"Kafka has no such partition; the position is {wanted[partition]}"
            self._gap(partition, wanted[partition], why)
        for partition in sorted(wanted.keys() & there & self._gone.keys()):
            self._gap(partition, wanted[partition], self._gone[partition])
        partitions = sorted(wanted.keys() & there - self._gone.keys())
        client.assign(partitions)
        first = await client.beginning_offsets(partitions) if partitions else {}
        last = await client.end_offsets(partitions) if partitions else {}
        for partition in partitions:
            if (begin := first[partition]) > self._stands[partition]:
                why = f"Kafka no longer has the records before offset {begin}"
                self._gap(partition, min(begin, wanted[partition]), why)
            client.seek(partition, max(begin, self._stands[partition]))
            if self._stands[partition] < min(last[partition], wanted[partition]):
                self._left[partition] = min(last[partition], wanted[partition])
            if (end := last[partition]) < wanted[partition]:
                self._tell(partition, f"the position {wanted[partition]} is past the end of the topic, {end}")

    async def _read(self, client: AIOKafkaConsumer) -> AsyncIterator[Fetched]:
        total, clock = sum(self._left.values()), asyncio.get_running_loop().time
        client.pause(*(client.assignment() - self._left.keys()))
        read, moved_at = 0, clock()
        wait_ms = FETCH_MS if self._only is None else SIFT_MS
        while self._left:
            fetched: Mapping[TopicPartition, Sequence[Record]] = {}
            try:
                fetched = await client.getmany(*self._left, timeout_ms=wait_ms, max_records=READ_AT_ONCE)
            except aiokafka.errors.OffsetOutOfRangeError as error:
                await self._forgotten(client, error.args[0])
            except Unreadable as error:
                self._damaged(client, error)
            except aiokafka.errors.NoOffsetForPartitionError:
                continue  # asked before the first offset was known
            for part in [*self._take_passed(), *[await self._part(client, p, fetched.get(p, ())) for p in self._left]]:
                if part.span.next_offset > part.span.start:
                    yield part
            for partition in [p for p, end in self._left.items() if self._stands[p] >= end]:
                client.pause(partition)
                self._done += self._left.pop(partition)
            before, read = read, self._done + sum(self._stands[partition] for partition in self._left)
            moved_at = clock() if read != before else moved_at
            if clock() - moved_at > STALLED_SECONDS:
                names = ", ".join(f"{p.topic}:{p.partition}" for p in sorted(self._left))
                raise TransientError(f"for {STALLED_SECONDS:.0f} s Kafka has given no more of {names}", "kafka")
            self._progress(read, total)
            await asyncio.sleep(0)
        for partition, end in self._positions.items():
            if self._stands.get(partition, end) < end:  # it is past the end of the topic
                self._pass(partition, end)
        for part in self._take_passed():
            yield part

    async def _part(self, client: AIOKafkaConsumer, partition: TopicPartition, records: Sequence[Record]) -> Fetched:
        """What was fetched of a partition, as far as it is wanted, with the markers behind it."""
        end, start = self._left[partition], self._stands[partition]
        self._stands[partition] = stands = max(start, min(end, await client.position(partition)))
        own = records if stands < end else [record for record in records if record.offset < end]
        if self._only is not None:
            own = [record for record in own if self._only.of(record)]
        return Fetched(partition, OffsetRange(start, stands, 0), own)

    async def _forgotten(self, client: AIOKafkaConsumer, positions: Mapping[TopicPartition, int]) -> None:
        """Retention, or somebody, has deleted what was to be read next."""
        for partition, offset in positions.items():
            end = self._left[partition]
            goes_on = (await client.beginning_offsets([partition]))[partition] if self._over_gaps else end
            to = f"to {goes_on - 1}" if offset < goes_on < end else "on"
            why = f"while this was reading, Kafka has deleted the records from offset {offset} {to}"
            self._gap(partition, goes_on if offset < goes_on < end else end, why)
            client.seek(partition, self._stands[partition])

    def _damaged(self, client: AIOKafkaConsumer, error: Unreadable) -> None:
        """Step over the batch, where it is known how far it goes. What the client had taken of the others meanwhile is
        lost: it reads that again."""
        partition, behind = error.partition, error.behind
        to = "on" if behind is None else f"to {behind - 1}"
        end = self._left[partition] if behind is None else min(behind, self._left[partition])
        self._gap(partition, end, f"the records from offset {error.position} {to} can't be read")
        for partition in self._left:
            client.seek(partition, self._stands[partition])

    def _gap(self, partition: TopicPartition, end: int, why: str) -> None:
        """Tell of it, and stand behind it."""
        self._tell(partition, why)
        self._pass(partition, end)

    def _pass(self, partition: TopicPartition, end: int) -> None:
        start, self._stands[partition] = self._stands[partition], end
        self.gaps.append(Gap(partition, start, end))
        self._passed.append(Fetched(partition, OffsetRange(start, end, 0), ()))

    def _take_passed(self) -> list[Fetched]:
        taken, self._passed = self._passed, []
        return taken

    def _tell(self, partition: TopicPartition, what: str) -> None:
        self.unreadable.append(f"{partition.topic}:{partition.partition}: {what}")
