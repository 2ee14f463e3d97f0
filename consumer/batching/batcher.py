"""Cuts slices of the topics in the records' order of time, and hands them over batch by batch.

Partitions ahead by Kafka's timestamps wait for those behind, so that users come before their documents while a backlog
is worked off. A partition at its end holds nobody back, and once all are there nothing waits at all.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from aiokafka import TopicPartition

from neon_projector.consumer.batch import Batch, Moments
from neon_projector.consumer.batching.buffer import ANY_TIME
from neon_projector.consumer.batching.buffers import Watermark
from neon_projector.consumer.batching.decoding import decode
from neon_projector.consumer.batching.divide import Portion, divide
from neon_projector.consumer.batching.read_ahead import ReadAhead
from neon_projector.consumer.batching.scheduler import Scheduler
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.decode import Decoder

FEW = 2
"""With so many batches under way Postgres would soon have nothing to do."""
PATIENCE_SECONDS = 0.5
"""So long at most nothing is handed over because of partitions behind that bring nothing."""


class Cut(NamedTuple):
    """Why a slice was cut (`Batch.trigger`), how many seconds after its first record, and when, by the loop's clock."""

    trigger: str = ""
    seconds: float = 0.0
    at: float = 0.0


class Batcher:
    """`next_batch` hands over what is to be written next, of what `read_ahead` has read."""

    def __init__(
        self,
        read_ahead: ReadAhead,
        scheduler: Scheduler,
        decoder: Decoder,
        settings: Settings,
        parent_depths: Mapping[str, int],
    ) -> None:
        self._read_ahead, self._buffers = read_ahead, read_ahead.buffers
        self._changed = read_ahead.changed
        self._scheduler = scheduler
        self._decoder = decoder
        self._settings = settings
        self._parent_depths = parent_depths
        self._stalled_at = Watermark(0, 0)
        """The watermark when it was looked last; partitions behind it may bring nothing."""
        self._stalled_since = 0.0
        """Since when that has not changed, by the loop's clock."""
        self._portions: list[Portion] = []
        """What is left of the slice that was cut last, each to become one batch."""
        self._cut_as = Cut()
        self.stopping = False

    async def next_batch(self) -> Batch | None:
        """The next batch, parents first; None when the service is to stop. While so many others are written it may
        fill: those who wait for a database far away bring more at once."""
        while not self.stopping:
            if self._portions or await self._next_slice():
                cut, clock = self._cut_as, asyncio.get_running_loop().time
                began = clock()
                batch = await decode(self._portions[0], self._decoder, self._parent_depths)
                batch.trigger, batch.collected_seconds = cut.trigger, cut.seconds
                batch.moments = Moments(cut.at - cut.seconds, cut.at, began, clock())
                del self._portions[:1]
                if batch:  # a rebalance may have taken all of it
                    return batch
        return None

    def stop(self) -> None:
        """Let `next_batch` return None."""
        self.stopping = True
        self._changed.set()

    def drop(self, partitions: set[TopicPartition]) -> None:
        """Forget what was read of partitions that are no more ours, or are to be read again."""
        self._read_ahead.drop(partitions)
        self._portions = [[part for part in portion if part.partition not in partitions] for portion in self._portions]

    @property
    def oldest_timestamps(self) -> dict[TopicPartition, int]:
        """Of each partition the timestamp of the first record that is read and not committed, in milliseconds."""
        cut = (part for portion in self._portions for part in portion if part.records)
        here = self._buffers.oldest() | {part.partition: part.records[0].timestamp for part in cut}
        return here | self._scheduler.oldest_timestamps

    async def _next_slice(self) -> bool:
        """Wait until there is one; False where it is to be looked again."""
        watermark = self._read_ahead.watermark()
        self._give_turns(watermark.time)
        running = self._scheduler.running
        if self._buffers.any(watermark.time) and (not running or self._full(watermark.time, few=running <= FEW)):
            await self._fill()
            return self._cut(self._read_ahead.watermark().time)
        patience = self._patience(watermark)
        if patience <= 0 and not running:
            return self._cut(ANY_TIME)
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience if patience > 0 else None):  # unlike wait_for it loses no cancellation
                await self._changed.wait()
        return False

    def _patience(self, watermark: Watermark) -> float:
        """So many seconds more may what is here wait for partitions that bring nothing."""
        now = asyncio.get_running_loop().time()
        if watermark != self._stalled_at or self._buffers.any(watermark.time) or not self._buffers:
            self._stalled_at, self._stalled_since = watermark, now
        return self._stalled_since + PATIENCE_SECONDS - now

    def _give_turns(self, up_to: int) -> None:
        """Let who has waited for too long go on beside the others, for as long as any are behind."""
        now, turns = asyncio.get_running_loop().time(), self._read_ahead.turns
        if not turns.is_time(now):
            return
        if up_to == ANY_TIME:
            self._buffers.stop_hastening()
        elif late := turns.overdue(self._buffers.later(up_to), now):
            self._buffers.hasten(late, up_to)

    def _full(self, up_to: int, *, few: bool = True) -> str | None:
        """Why what is here makes a slice: for one batch where `few` are under way, else for half of all at once."""
        settings, (number, size) = self._settings, self._buffers.until(up_to)
        if number >= settings.batch_max_events * (1 if few else settings.batches_at_once // 2 or 1):
            return "count"
        return "bytes" if size >= settings.batch_max_bytes // 2 else None

    async def _fill(self) -> None:
        """Wait until a slice is full or old enough."""
        loop = asyncio.get_running_loop()
        due = self._read_ahead.since + self._settings.batch_max_wait_ms / 1000
        while (left := due - loop.time()) > 0 and not self.stopping:
            if self._full(self._read_ahead.watermark().time) is not None:
                break
            self._changed.clear()
            try:
                async with asyncio.timeout(left):
                    await self._changed.wait()
            except TimeoutError:
                break

    def _cut(self, up_to: int) -> bool:
        """Divide what there is up to that time into batches; False where a rebalance has taken it."""
        settings, now = self._settings, asyncio.get_running_loop().time()
        most, at_once = settings.batch_max_events, settings.batches_at_once
        self._cut_as = Cut(self._full(up_to) or "age", now - self._read_ahead.since, now)
        parts = self._buffers.take(up_to, most * at_once, settings.batch_max_bytes, most)
        self._portions = divide(parts, self._parent_depths, most, at_once)
        self._stalled_at, self._stalled_since = Watermark(0, 0), now
        self._read_ahead.taken(now)
        return bool(parts)
