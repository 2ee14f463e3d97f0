"""Reads ahead while batches are written: as much as fits, of all partitions, those first that are earliest in time."""

import asyncio
import time
from contextlib import aclosing, suppress

from aiokafka import TopicPartition

from neon_projector.consumer.apply.claims import Claims
from neon_projector.consumer.batch import Fetched
from neon_projector.consumer.batching.buffers import Buffers, Watermark
from neon_projector.consumer.batching.quotas import quotas
from neon_projector.consumer.batching.turns import Turns
from neon_projector.consumer.kafka.consumer import GroupConsumer
from neon_projector.consumer.recovery.retrying import Retrying
from neon_projector.consumer.settings import Settings

IDLE_FETCH_MS = 100
FETCH_RECORDS = 8_000
"""At most so many at once: what waits beside them has its turn."""
AHEAD = 1.25
"""Slices that are read ahead: one, and a bit since not all partitions are equally long."""
AHEAD_BYTES = 5 / 6
"""Of `BATCH_MAX_BYTES`: values of 1 MB take 15 MB of memory less than with all of it."""

ENDS_EACH_SECONDS = 1.0
ENDS_FOR_SECONDS = 0.1
"""In a backlog the partitions at their ends are asked so often, and so long that a fetch is sent meanwhile: their lag
may grow."""


class ReadAhead:
    """`run` claims partitions and reads them into `buffers`; `changed` is set whenever something has come."""

    def __init__(self, consumer: GroupConsumer, claims: Claims, settings: Settings, retrying: Retrying) -> None:
        self._consumer, self._claims = consumer, claims
        self._settings = settings
        self._retrying = retrying
        self.buffers = Buffers()
        self.turns = Turns()
        self.changed = asyncio.Event()
        self.since = 0.0
        """When the first record that waits here came, by the loop's clock."""
        self._room = asyncio.Event()
        self._room_bytes = int(AHEAD_BYTES * settings.batch_max_bytes)
        """So much may lie here."""

    async def run(self) -> None:
        """Join the group, and read until cancelled; with a new client where this one hears no broker any more."""
        while True:
            await self._consumer.while_heard(self._read())
            await self._consumer.give_up_client()

    async def _read(self) -> None:
        await self._retrying.until_answered(self._consumer.start)
        while True:
            self._room.clear()
            await self._retrying.until_answered(self._fetch)

    def watermark(self) -> Watermark:
        """Up to which time all is here that is to be had, and how many partitions hold back what is later."""
        return self.buffers.watermark(self._consumer.behind())

    def drop(self, partitions: set[TopicPartition]) -> None:
        """Forget what was read of partitions that are no more ours, or are to be read again."""
        self.buffers.drop(partitions)
        self._room.set()

    def taken(self, now: float) -> None:
        """Something was taken out of the buffers: there is room again."""
        self.since = now
        self._room.set()

    async def _fetch(self) -> None:
        await self._consumer.settle_claims(self._claims)
        wanted = self._wanted()
        if not wanted and self._consumer.partitions.reading:
            with suppress(TimeoutError):
                async with asyncio.timeout(IDLE_FETCH_MS / 1000):
                    await self._room.wait()
            return
        async with aclosing(self._consumer.records.fetch(wanted, FETCH_RECORDS, IDLE_FETCH_MS)) as answer:
            async for fetched in answer:
                self._take(fetched)
                if self.buffers.size >= self._room_bytes:  # records turned out larger than those before them
                    break

    def _wanted(self) -> dict[TopicPartition, int]:
        """How many records further each partition may be read; those behind come first."""
        settings, behind = self._settings, set(self._consumer.behind())
        most = int(AHEAD * settings.batch_max_events * settings.batches_at_once)
        buffered = self.buffers.buffered(self._consumer.partitions.reading)
        ends = asyncio.get_running_loop().time() % ENDS_EACH_SECONDS < ENDS_FOR_SECONDS
        return quotas(buffered, behind, most, self._room_bytes, all_ends=ends)

    def _take(self, fetched: Fetched) -> None:
        if not self.buffers:
            self.since = asyncio.get_running_loop().time()
        if not self._consumer.partitions.lost({fetched.partition: fetched.span}):  # else taken meanwhile
            if ahead := self.buffers.add(fetched, int(time.time() * 1000)):
                self.turns.fast(fetched.partition, ahead, asyncio.get_running_loop().time())
            self.changed.set()
