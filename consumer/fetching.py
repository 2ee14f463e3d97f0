"""How much of Kafka is fetched ahead, and what of it is there: what the client has no arguments for.

All that is known of the client's inside stands here and in `light_records.py`; `test_borrowed_names.py` holds it.
"""

from collections.abc import Mapping, Sequence, Set
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import FetchError, FetchResult
from aiokafka.errors import KafkaError

from consumer.light_records import LightRecords
from projections.record import Record

FETCH_BYTES = 16 * 1024 * 1024
"""So much may lie fetched and unread, of all partitions together."""
PARTITION_BYTES = (64 * 1024, 1024 * 1024)
"""Of each at least and at most; a batch of the topic that is larger comes nevertheless, but one alone (KIP-74)."""
ANSWER_BYTES = 2 * 1024 * 1024
"""Of one answer; for a moment it is in memory twice."""
LEAST_AT_ONCE = 50
"""Records of a partition that are taken together where many have something."""


class Fetching:
    """What `consumer`, once it is started, has fetched."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._resting: Set[TopicPartition] = set()
        self._unsure = False
        """An error came between what was asked: some partition may have been stepped on, over markers."""

    def begin(self, partitions: int) -> None:
        """So many are to be fetched. No pause of 0.1 s in fetching as long as anything fetched is unread: there always
        is where partitions ahead wait for those behind."""
        least, most = PARTITION_BYTES
        self._resting = set()
        LightRecords.largest = 0
        self._client._prefetch_backoff = 0
        self._client._max_partition_fetch_bytes = min(most, max(least, FETCH_BYTES // max(1, partitions)))

    def only(self, wanted: Set[TopicPartition], among: Set[TopicPartition]) -> None:
        """Let nothing of the others be fetched until they are wanted: it would only lie there."""
        resting = among - wanted
        self._consumer.pause(*(resting - self._resting))
        self._consumer.resume(*(wanted & self._resting))
        self._resting = resting

    async def get(
        self, wanted: Mapping[TopicPartition, int], max_records: int, timeout_ms: int
    ) -> dict[TopicPartition, Sequence[Record]]:
        """Of the partitions that were asked what has come, maybe nothing: so many records of each as `wanted`, and of
        all together `max_records`, or a few more; of many partitions some of each.

        One after the other, else the client would give all that it has of the first. A KafkaError is raised only where
        nothing was taken: what was taken is not given again.
        """
        self._consumer._coordinator.check_errors()
        client, found = self._client, dict[TopicPartition, Sequence[Record]]()
        waits = client._records.keys().isdisjoint(wanted)
        if waits or self._unsure:
            found |= dict.fromkeys(wanted, ())
        self._unsure = True
        if waits:  # for a single record, and then it is seen what else is there
            found |= await self._consumer.getmany(*wanted, timeout_ms=timeout_ms, max_records=1)
        else:
            for partition in [p for p in wanted if isinstance(client._records.get(p), FetchError)]:
                await self._consumer.getmany(partition, max_records=1)  # raises it
        self._take(wanted, max_records, found)
        self._unsure = False
        self._limit()
        return found

    def _take(
        self, wanted: Mapping[TopicPartition, int], max_records: int, found: dict[TopicPartition, Sequence[Record]]
    ) -> None:
        """What the client's `getmany` does, which looks at all partitions for each: 50 µs where they are 256."""
        client = self._client
        ready = [p for p in wanted if isinstance(client._records.get(p), FetchResult)]
        number, part = 0, max(LEAST_AT_ONCE, max_records // max(1, len(ready)))
        for partition in ready:
            fetched = client._records[partition]
            try:
                records = fetched.getall(min(wanted[partition], part))
            except KafkaError:
                if not any(found.values()):
                    raise
                break  # it comes again
            if not fetched.has_more():
                del client._records[partition]
                client._notify(client._wait_consume_future)
            found[partition] = [*found.get(partition, ()), *records]
            number += len(records)
            if number >= max_records:
                break

    def _limit(self) -> None:
        """Let the next fetch bring of each partition one of the topic's batches at least: of batches that are larger
        than what is asked for, a fetch brings a single one."""
        of_one = min(LightRecords.largest, PARTITION_BYTES[1])
        self._client._max_partition_fetch_bytes = max(self._client._max_partition_fetch_bytes, of_one)

    @property
    def _client(self) -> Any:
        return self._consumer._fetcher
