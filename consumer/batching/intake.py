"""Reads ahead while batches are written; cuts slices of the topics in the records' order of time, and decodes them.

Partitions ahead by Kafka's timestamps wait for those behind, so that users come before their documents while a backlog
is worked off. A partition at its end holds nobody back, and once all are there nothing waits at all.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, suppress

from aiokafka import TopicPartition

from neon_projector.consumer.apply.claims import Claims
from neon_projector.consumer.batch import Batch, Fetched
from neon_projector.consumer.batching.buffer import ANY_TIME
from neon_projector.consumer.batching.buffers import Buffers
from neon_projector.consumer.batching.divide import Portion, divide
from neon_projector.consumer.batching.quotas import shares
from neon_projector.consumer.batching.turns import Turns
from neon_projector.consumer.kafka.consumer import GroupConsumer
from neon_projector.consumer.offsets.claim import OffsetRange
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Decoded

IDLE_FETCH_MS = 100
FETCH_RECORDS = 8_000
"""At most so many at once: what waits beside them has its turn."""
AHEAD = 1.25
"""Slices that are read ahead: one, and a bit since not all partitions are equally long."""
AHEAD_BYTES = 5 / 6
"""Of `BATCH_MAX_BYTES`: values of 1 MB take 15 MB of memory less than with all of it."""
FEW = 2
"""With so many batches under way Postgres would soon have nothing to do."""
DECODE_RECORDS, DECODE_BYTES = 250, 2 * 1024 * 1024
"""So many records, or bytes, are decoded at a stretch before others (heartbeats) have their turn."""
PATIENCE_SECONDS = 0.5
"""So long at most nothing is handed over because of partitions behind that bring nothing."""

ENDS_EACH_SECONDS = 1.0
ENDS_FOR_SECONDS = 0.1
"""In a backlog the partitions at their ends are asked so often, and so long that a fetch is sent meanwhile: their lag
may grow."""

UntilAnswered = Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]
"""Asks again while Kafka is in trouble."""


class Intake:
    """`run` reads; `next_batch` hands over what is to be written next."""

    def __init__(
        self,
        source: GroupConsumer,
        decoder: Decoder,
        settings: Settings,
        parent_depths: Mapping[str, int],
        claims: Claims,
        until_answered: UntilAnswered,
    ) -> None:
        self._source = source
        self._decoder = decoder
        self._settings = settings
        self._parent_depths = parent_depths
        self._claims = claims
        self._until_answered = until_answered
        self._buffers = Buffers()
        self._room_bytes = int(AHEAD_BYTES * settings.batch_max_bytes)
        """So much may lie here."""
        self._turns = Turns()
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._stuck = ((0, 0), 0.0)
        """Who holds records back (`Buffers.hindrance`), and since when that has not changed, by the loop's clock."""
        self._since = 0.0
        """When the first record that waits here came, by the loop's clock."""
        self._portions: list[Portion] = []
        """What is left of the slice that was cut last, each to become one batch."""
        self._cut_as = ("", 0.0)
        """Why that slice was cut, and how many seconds after its first record."""
        self.stopping = False

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            self._room.clear()
            await self._until_answered(self._fetch)

    async def next_batch(self, under_way: Callable[[], int]) -> Batch | None:
        """The next batch, parents first; None when the service is to stop. While so many others are written it may
        fill: those who wait for a database far away bring more at once."""
        while not self.stopping:
            if self._portions or await self._next_slice(under_way):
                batch = await self._decoded(self._portions[0])
                del self._portions[:1]
                if batch := self.still_ours(batch):  # a rebalance may have taken it
                    return batch
        return None

    def stop(self) -> None:
        """Let `next_batch` return None."""
        self.stopping = True
        self.poke()

    def poke(self) -> None:
        """Look again whether there is a slice to hand over."""
        self._changed.set()

    def drop(self, partitions: set[TopicPartition]) -> None:
        """Forget what was read of partitions that are no more ours, or are to be read again."""
        self._buffers.drop(partitions)
        self._portions = [[part for part in portion if part.partition not in partitions] for portion in self._portions]
        self._room.set()

    def still_ours(self, batch: Batch) -> Batch:
        """The batch without partitions that were taken from us after it was cut."""
        lost = {partition for partition, span in batch.spans.items() if not self._is_ours(partition, span)}
        return batch.without(lost) if lost else batch

    def _is_ours(self, partition: TopicPartition, span: OffsetRange) -> bool:
        reading = self._source.partitions.reading.get(partition)
        return reading is not None and reading.epoch == span.epoch

    @property
    def oldest_timestamps(self) -> dict[TopicPartition, int]:
        """Of each partition the timestamp of the first record that waits here, in milliseconds."""
        cut = (part for portion in self._portions for part in portion if part.records)
        return self._buffers.oldest() | {part.partition: part.records[0].timestamp for part in cut}

    async def _fetch(self) -> None:
        await self._source.settle_claims(self._claims.claim, self._claims.read)
        hungry = self._hungry()
        if not hungry and self._source.partitions.reading:
            with suppress(TimeoutError):
                async with asyncio.timeout(IDLE_FETCH_MS / 1000):
                    await self._room.wait()
            return
        async with aclosing(self._source.records.fetch(hungry, FETCH_RECORDS, IDLE_FETCH_MS)) as answer:
            async for fetched in answer:
                self._take(fetched)
                if self._buffers.size >= self._room_bytes:  # records turned out larger than those before them
                    break

    def _hungry(self) -> dict[TopicPartition, int]:
        """How many records further each partition may be read; those behind come first."""
        settings, behind = self._settings, set(self._source.behind())
        most = int(AHEAD * settings.batch_max_events * settings.batches_at_once)
        held = self._buffers.held(self._source.partitions.reading)
        ends = asyncio.get_running_loop().time() % ENDS_EACH_SECONDS < ENDS_FOR_SECONDS
        return shares(held, behind, most, self._room_bytes, all_ends=ends)

    def _take(self, fetched: Fetched) -> None:
        if not self._buffers:
            self._since = asyncio.get_running_loop().time()
        if self._is_ours(fetched.partition, fetched.span):  # else taken meanwhile
            if ahead := self._buffers.add(fetched, int(time.time() * 1000)):
                self._turns.fast(fetched.partition, ahead, asyncio.get_running_loop().time())
            self.poke()

    async def _decoded(self, portion: Portion) -> Batch:
        of = [self._parent_depths.get(part.partition.topic, 0) for part in portion]
        batch = Batch(min_depth=min(of, default=0), max_depth=max(of, default=0))
        batch.trigger, batch.collected_seconds = self._cut_as
        stretch = 0.0
        for part in portion:
            decoded: list[Decoded] = []
            step = max(1, min(DECODE_RECORDS, DECODE_BYTES * len(part.records) // (part.size or 1)))
            for start in range(0, len(part.records), step):
                if stretch >= 1:
                    await asyncio.sleep(0)
                    stretch = 0
                records = part.records[start : start + step]
                decoded += self._decoder.all(records)
                stretch += len(records) / step
            batch.add(part, decoded)
        return batch

    async def _next_slice(self, under_way: Callable[[], int]) -> bool:
        """Wait until there is one; False where it is to be looked again."""
        horizon, _ = hindrance = self._hindrance()
        self._give_turns(horizon)
        if self._buffers.any(horizon) and (not under_way() or self._full(horizon, few=under_way() <= FEW)):
            await self._fill()
            return self._cut(self._hindrance()[0])
        patience = self._patience(hindrance)
        if patience <= 0 and not under_way():
            return self._cut(ANY_TIME)
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience if patience > 0 else None):  # unlike wait_for it loses no cancellation
                await self._changed.wait()
        return False

    def _patience(self, hindrance: tuple[int, int]) -> float:
        """So many seconds more may what is here wait for partitions that bring nothing."""
        now = asyncio.get_running_loop().time()
        if hindrance != self._stuck[0] or self._buffers.any(hindrance[0]) or not self._buffers:
            self._stuck = hindrance, now
        return self._stuck[1] + PATIENCE_SECONDS - now

    def _give_turns(self, horizon: int) -> None:
        """Let who has waited for too long go on beside the others, for as long as any are behind."""
        now = asyncio.get_running_loop().time()
        if not self._turns.is_time(now):
            return
        if horizon == ANY_TIME:
            self._buffers.stop_hastening()
        elif late := self._turns.overdue(self._buffers.later(horizon), now):
            self._buffers.hasten(late, horizon)

    def _hindrance(self) -> tuple[int, int]:
        """Up to which time all is here that is to be had, and how many partitions hold back what is later."""
        return self._buffers.hindrance(self._source.behind())

    def _full(self, horizon: int, *, few: bool = True) -> str | None:
        """Why what is here makes a slice: for one batch where `few` are under way, else for half of all at once."""
        settings, (number, size) = self._settings, self._buffers.until(horizon)
        if number >= settings.batch_max_events * (1 if few else settings.batches_at_once // 2 or 1):
            return "count"
        return "bytes" if size >= settings.batch_max_bytes // 2 else None

    async def _fill(self) -> None:
        """Wait until a slice is full or old enough."""
        loop = asyncio.get_running_loop()
        due = self._since + self._settings.batch_max_wait_ms / 1000
        while (left := due - loop.time()) > 0 and not self.stopping and self._full(self._hindrance()[0]) is None:
            self._changed.clear()
            try:
                async with asyncio.timeout(left):
                    await self._changed.wait()
            except TimeoutError:
                break

    def _cut(self, horizon: int) -> bool:
        """Divide what there is up to `horizon` into portions; False where a rebalance has taken it."""
        settings, now = self._settings, asyncio.get_running_loop().time()
        most, at_once = settings.batch_max_events, settings.batches_at_once
        self._cut_as = self._full(horizon) or "age", now - self._since
        parts = self._buffers.take(horizon, most * at_once, settings.batch_max_bytes, most)
        self._portions = divide(parts, self._parent_depths, most, at_once)
        self._since, self._stuck = now, ((0, 0), now)
        self._room.set()
        return bool(parts)
