"""Reads ahead: fetches and decodes the next batch while the last one is written; bounded in records and bytes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from aiokafka import TopicPartition

from consumer.batch import Batch, Fetched
from consumer.settings import Settings
from consumer.source import Claimer, Reader, Source
from projections.decode import Decoder
from projections.event import Decoded
from projections.record import Record

log = logging.getLogger(__name__)

IDLE_FETCH_MS = 100
SLICE = 250
"""Records decoded at a stretch before others (heartbeats) have their turn."""


UntilAnswered = Callable[[Callable[[], Awaitable[list[Fetched]]]], Awaitable[list[Fetched]]]
"""Asks again while Kafka is in trouble."""


class Intake:
    """Collects one batch; `next_batch` hands it over and a new one begins."""

    def __init__(
        self,
        source: Source,
        decoder: Decoder,
        settings: Settings,
        claim: Claimer,
        read: Reader,
        until_answered: UntilAnswered,
    ) -> None:
        self._source = source
        self._decode = decoder
        self._settings = settings
        self._claim, self._read = claim, read
        self._until_answered = until_answered
        self._open = Batch()
        self._in_hand = Batch()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self.stopping = False

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            await self._room.wait()
            for one in await self._until_answered(self._fetch):
                await self._take(one)

    async def _fetch(self) -> list[Fetched]:
        await self._source.settle_claims(self._claim, self._read)
        room = self._settings.batch_max_events - len(self._open.decoded)
        return await self._source.fetch(room, IDLE_FETCH_MS)

    async def next_batch(self) -> Batch | None:
        """The next batch, when there is one; None when the service is to stop. The last one is done with."""
        self._in_hand = Batch()
        while True:
            await self._arrived.wait()
            if self.stopping:
                return None
            self._arrived.clear()
            if not self._open:
                continue
            await self._fill()
            if self._open:  # a rebalance may have taken it
                self._in_hand, self._open = self._open, Batch()
                self._room.set()
                return self._in_hand

    def stop(self) -> None:
        """Let `next_batch` return None."""
        self.stopping = True
        self._arrived.set()

    def drop(self, partitions: set[TopicPartition]) -> None:
        """Forget what was read of partitions that are no more ours, or are to be read again."""
        self._open = self._open.without(partitions)
        if self._full() is None:
            self._room.set()

    @property
    def oldest_timestamps(self) -> dict[TopicPartition, int]:
        """Of each partition the timestamp of the first record that is not committed, in milliseconds."""
        return self._open.oldest | self._in_hand.oldest

    async def _take(self, fetched: Fetched) -> None:
        decoded = await self._decode_all(fetched.records)
        reading = self._source.partitions.reading.get(fetched.partition)
        if reading is None or reading.epoch != fetched.span.epoch:
            return  # revoked or fenced while we decoded
        if not self._open:
            self._open.opened_at = asyncio.get_running_loop().time()
        self._open.add(fetched, decoded)
        if self._full() is not None:
            self._room.clear()
        self._arrived.set()

    async def _decode_all(self, records: Sequence[Record]) -> list[Decoded]:
        decoded: list[Decoded] = []
        for start in range(0, len(records), SLICE):
            decoded.extend(map(self._decode, records[start : start + SLICE]))
            await asyncio.sleep(0)
        return decoded

    def _full(self) -> str | None:
        if len(self._open.decoded) >= self._settings.batch_max_events:
            return "count"
        return "bytes" if self._open.size >= self._settings.batch_max_bytes else None

    async def _fill(self) -> None:
        """Wait until the open batch is full or old enough."""
        loop = asyncio.get_running_loop()
        due = self._open.opened_at + self._settings.batch_max_wait_ms / 1000
        while self._full() is None and not self.stopping and (left := due - loop.time()) > 0:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), left)
            except TimeoutError:
                break
        self._open.trigger = self._full() or "age"
        self._open.collected_seconds = loop.time() - self._open.opened_at
