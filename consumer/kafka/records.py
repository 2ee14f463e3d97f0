"""The records that the member of the group brings, in order; what can't be read stops its partition."""

import logging
from collections.abc import AsyncGenerator, Mapping, Sequence

import aiokafka.errors
from aiokafka import AIOKafkaConsumer, TopicPartition

from neon_projector.consumer.batch import Fetched
from neon_projector.consumer.kafka.assignment import NEED_A_POSITION, Partitions
from neon_projector.consumer.kafka.fetcher import Fetcher
from neon_projector.consumer.kafka.record_batches import Unreadable
from neon_projector.consumer.offsets.claim import OffsetRange
from neon_projector.projections.contract.record import Record

log = logging.getLogger(__name__)


class Records:
    """What one client brings of `partitions`, which are read as their claims say."""

    def __init__(self, client: AIOKafkaConsumer, committed: bool, partitions: Partitions) -> None:
        self._client, self._partitions = client, partitions
        self.fetcher = Fetcher(client, committed, self._compare_again)

    async def fetch(
        self, wanted: Mapping[TopicPartition, int], max_records: int, timeout_ms: int
    ) -> AsyncGenerator[Fetched, None]:
        """Records that have come, and steps over markers; waits up to `timeout_ms` where there is nothing.

        `wanted`: how many records of which partitions. `max_records`: the most of all together.
        """
        self.fetcher.only(wanted.keys(), self._partitions.reading.keys())
        try:
            async for partition, records in self.fetcher.get(wanted, max_records, timeout_ms):
                if (fetched := self._fetched(partition, records)) is not None:
                    yield fetched
        except aiokafka.errors.OffsetOutOfRangeError as error:
            for partition, position in error.args[0].items():
                await self._out_of_range(partition, position)
        except Unreadable as error:
            self._cannot_read(error)
        except aiokafka.errors.NoOffsetForPartitionError:
            pass  # asked before the claim was there

    def _fetched(self, partition: TopicPartition, records: Sequence[Record]) -> Fetched | None:
        """With the span that these cover; None where that is empty, or no more ours."""
        reading, (position, stable) = self._partitions.reading.get(partition), self.fetcher.stands(partition)
        if reading is None or position is None:
            return None  # revoked while we asked
        if stable is not None:
            reading.end = stable
        if (new := reading.recognise(records)) is None:
            self.stop(partition, "topic_changed", reading.next_offset)
            return None
        if position <= reading.next_offset:
            return None
        span = OffsetRange(reading.next_offset, position, reading.epoch)
        reading.next_offset = position
        return Fetched(partition, span, new)

    def _compare_again(self, partition: TopicPartition) -> None:
        """Its leader was lost, or is another one: that one's log may be shorter, or not the same any more."""
        if (reading := self._partitions.reading.get(partition)) is not None:
            self._client.seek(partition, reading.compare_again())

    async def _out_of_range(self, partition: TopicPartition, position: int) -> None:
        """Stop the partition, unless retention has taken only the record that was to be compared."""
        if (reading := self._partitions.reading.get(partition)) is None:
            return
        first = position if position >= reading.next_offset else await self._first(partition)
        if self._partitions.reading.get(partition) is not reading:
            return  # revoked while we asked
        if position < first <= reading.next_offset:
            reading.fingerprint = reading.last = None
            self._client.seek(partition, reading.next_offset)
        else:
            self.stop(partition, "position_not_in_topic", reading.next_offset)

    async def _first(self, partition: TopicPartition) -> int:
        first: dict[TopicPartition, int] = await self._client.beginning_offsets([partition])
        return first[partition]

    def _cannot_read(self, error: Unreadable) -> None:
        """Stop the partition; only where the last record before the position is damaged, which is read for comparison,
        go on without that."""
        reading = self._partitions.reading.get(error.partition)
        if reading is None:
            return
        if error.position < reading.next_offset:
            reading.fingerprint = None
            self._client.seek(error.partition, reading.next_offset)
        else:
            self.stop(error.partition, "unreadable", error.position, error.behind or error.position + 1)

    def stop(self, partition: TopicPartition, reason: str, position: int, behind: int | None = None) -> None:
        """Read this partition no more until an operator decides; `behind`: the offset to go on from, as advice."""
        if partition in self._partitions.reading:
            self._client.pause(partition)
            self._partitions.stop(partition, reason)
            where = f"{partition.topic}:{partition.partition}"
            command = "projector offsets reset" + (f" --topic {where} --to-offset {behind}" if behind else "")
            log.error(
                f"{NEED_A_POSITION[reason]}; it is stopped until its position is set: {command}",
                extra={"topic": partition.topic, "partition": partition.partition, "position": position}
                | {"reason": reason},
            )
