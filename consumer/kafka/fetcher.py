"""How much of Kafka is fetched ahead, and what of it is there: what the client has no arguments for.

All that is known of the client's inside stands here, and in `client.py`, `light_records.py` and `client_fetcher.py`;
`test_borrowed_names.py` holds it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import FetchError, FetchResult

from neon_projector.projections.contract.record import Record

FETCH_BYTES = 16 * 1024 * 1024
"""So much may lie fetched and unread, of all partitions together."""
PARTITION_BYTES = (64 * 1024, 1024 * 1024)
"""Of each at least and at most; a batch of the topic that is larger comes nevertheless, but one alone (KIP-74)."""
ANSWER_BYTES = 2 * 1024 * 1024
"""Of one answer; for a moment it is in memory twice."""


def fetch_without_pause(client: AIOKafkaConsumer) -> None:
    """Let a started client fetch on at once while anything that it has fetched is unread; its own pause is 0.1 s."""
    client._fetcher._prefetch_backoff = 0


class Fetcher:
    """What `client`, once it is started, has fetched."""

    def __init__(
        self,
        client: AIOKafkaConsumer,
        committed: bool = True,
        on_doubt: Callable[[TopicPartition], None] = lambda _: None,
    ) -> None:
        self._client = client
        self._committed = committed
        """Whether only committed records are read."""
        self._on_doubt = on_doubt
        """Called before anything is given of a partition whose leader was lost, or is another one."""
        self._resting: Set[TopicPartition] = set()
        self._interrupted = False
        """An error came between what was asked: some partition may have been stepped on, over markers."""
        self._largest = 0
        """The most bytes that one fetch has brought of a partition, since `begin`."""

    def begin(self, partitions: int) -> None:
        """So many are to be fetched. No pause of 0.1 s in fetching as long as anything fetched is unread: there always
        is where partitions ahead wait for those behind."""
        least, most = PARTITION_BYTES
        self._resting = set()
        self._largest = 0
        fetch_without_pause(self._client)
        self._fetcher._max_partition_fetch_bytes = min(most, max(least, FETCH_BYTES // max(1, partitions)))

    def only(self, wanted: Set[TopicPartition], among: Set[TopicPartition]) -> None:
        """Let nothing of the others be fetched until they are wanted: it would only lie there."""
        resting = among - wanted
        self._client.pause(*(resting - self._resting))
        self._client.resume(*(wanted & self._resting))
        self._resting = resting

    async def get(
        self, wanted: Mapping[TopicPartition, int], max_records: int, timeout_ms: int
    ) -> AsyncIterator[tuple[TopicPartition, Sequence[Record]]]:
        """Of the partitions that were asked what has come, maybe nothing: so many records of each as `wanted`, and of
        all together `max_records`.

        One after the other, else the client would give all that it has of the first; and each as it is taken, while it
        is in the processor's cache. What came before a KafkaError is not given again.
        """
        self._client._coordinator.check_errors()
        fetcher, came = self._fetcher, set[TopicPartition]()
        nothing_is_here = fetcher._records.keys().isdisjoint(wanted)
        may_have_skipped_markers = nothing_is_here or self._interrupted
        self._interrupted = True
        if nothing_is_here:
            await self._wait(timeout_ms / 1000)
        for partition in fetcher.doubtful():
            self._on_doubt(partition)
        for partition in [p for p in wanted if isinstance(fetcher._records.get(p), FetchError)]:
            await self._client.getmany(partition, max_records=1)  # raises it
        for partition, records in self._take(wanted, max_records):
            came.add(partition)
            yield partition, records
        for partition in wanted.keys() - came if may_have_skipped_markers else ():
            yield partition, ()
        self._interrupted = False
        self._limit()

    async def _wait(self, seconds: float) -> None:
        """Until anything has been fetched. As the client does it, which knows by it that somebody still reads."""
        with self._client._subscription.fetch_context():
            waiter = self._fetcher._create_fetch_waiter()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await waiter

    def _take(
        self, wanted: Mapping[TopicPartition, int], max_records: int
    ) -> Iterator[tuple[TopicPartition, Sequence[Record]]]:
        """What the client's `getmany` does, which looks at all partitions for each: 50 µs where they are 256."""
        fetcher = self._fetcher
        for partition in [p for p in wanted if isinstance(fetcher._records.get(p), FetchResult)]:
            fetched = fetcher._records[partition]
            self._largest = max(self._largest, fetched._partition_records.size)
            records = fetched.getall(min(wanted[partition], max_records))
            if not fetched.has_more():
                del fetcher._records[partition]
                fetcher._notify(fetcher._wait_consume_future)
            yield partition, records
            max_records -= len(records)
            if max_records <= 0:
                break

    def answered_at(self, partition: TopicPartition) -> int | None:
        """When a fetch of it was answered last, in milliseconds since 1970; None where nothing is fetched of it now: it
        rests, or what came last lies here and waits to be taken, as long as the database is slow."""
        assignment = self._client._subscription.subscription.assignment
        state = None if assignment is None else assignment.state_value(partition)
        if state is None or state.paused or partition in self._fetcher._records:
            return None
        return state.timestamp or 0

    def stands(self, partition: TopicPartition) -> tuple[int | None, int | None]:
        """The offset that comes next, and the last stable one (of who reads all: the end) as far as the last fetch
        told; None while not known, and where the partition is no more ours. The client's own methods take 3 µs for it:
        it is asked of all at each look.
        """
        assignment = self._client._subscription.subscription.assignment
        state = None if assignment is None else assignment.state_value(partition)
        if state is None:
            return None, None
        return state.position if state.has_valid_position else None, state.lso if self._committed else state.highwater

    def ends(self, partition: TopicPartition) -> tuple[int | None, int | None]:
        """Where reading ends, and the high watermark, as far as the last fetch told."""
        assignment = self._client._subscription.subscription.assignment
        state = None if assignment is None else assignment.state_value(partition)
        return self.stands(partition)[1], None if state is None else state.highwater

    def _limit(self) -> None:
        """Let the next fetch bring of each partition one of the topic's batches at least: of batches that are larger
        than what is asked for, a fetch brings a single one."""
        of_one = min(self._largest, PARTITION_BYTES[1])
        self._fetcher._max_partition_fetch_bytes = max(self._fetcher._max_partition_fetch_bytes, of_one)

    @property
    def _fetcher(self) -> Any:
        return self._client._fetcher
