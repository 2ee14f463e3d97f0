"""Cuts what a replay reads into portions for one transaction each: few records, so that the live service beside it
waits neither for a lock nor for the database."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from neon_projector.consumer.batch import Fetched
from neon_projector.consumer.batching.sizes import sizes
from neon_projector.projections.contract.record import Record

LEAST, MOST = 250, 2_000
"""Records in one transaction."""
TARGET_SECONDS = 0.05
"""A transaction that took longer makes the next ones smaller."""
SHARE_SECONDS = 0.25
"""Of a rate that is limited, a transaction has what may pass in so long."""
OFFSETS = 100_000
"""So many offsets are passed in one transaction, where hardly any record of them is wanted."""
WAIT_SECONDS = 1.0
"""So long at most does a portion wait for more records."""


class Portions:
    """Iterate `of`; `took` is told how long the last portion's transaction took."""

    def __init__(
        self, wanted: Callable[[Record], bool] | None, max_bytes: int, rate: Callable[[], float | None]
    ) -> None:
        """`wanted`: which records are applied (None: all). `rate`: how many a second may be now (None: any)."""
        self._wanted, self._max_bytes, self._rate = wanted, max_bytes, rate
        self._adapted = MOST // 2
        self._began = 0.0
        self._clear()

    def took(self, seconds: float) -> None:
        """Adapt the size of what follows."""
        factor = 0.5 if seconds > TARGET_SECONDS else 1.2
        self._adapted = int(min(MOST, max(LEAST, self._adapted * factor)))

    @property
    def _size(self) -> int:
        """Records of a transaction: where the rate is low, few at a time instead of many and a long pause."""
        rate = self._rate()
        return self._adapted if rate is None else min(self._adapted, max(1, int(rate * SHARE_SECONDS)))

    async def of(self, parts: AsyncIterator[Fetched]) -> AsyncIterator[list[Fetched]]:
        """Portions of `parts`, in their order, with the wanted records only; they cover all offsets."""
        clock = asyncio.get_running_loop().time
        async for part in parts:
            rest: Fetched | None = self._filtered(part)
            while rest is not None:
                if not self._parts:
                    self._began = clock()
                rest = self._take(rest)
                if rest is not None or self._is_full() or clock() - self._began >= WAIT_SECONDS:
                    yield self._parts
                    self._clear()
        if self._parts:
            yield self._parts
            self._clear()

    def _clear(self) -> None:
        self._parts: list[Fetched] = []
        self._records = self._bytes = self._offsets = 0

    def _is_full(self) -> bool:
        return self._records >= self._size or self._bytes >= self._max_bytes or self._offsets >= OFFSETS

    def _filtered(self, part: Fetched) -> Fetched:
        if self._wanted is None:
            return part
        return Fetched(part.partition, part.span, [record for record in part.records if self._wanted(record)])

    def _take(self, part: Fetched) -> Fetched | None:
        """Take in as many records as there is room for, at least one; returns the rest."""
        records, number, size = part.records, 0, 0
        for own in sizes(records):
            if self._records + number >= self._size or self._bytes + size >= self._max_bytes:
                break
            number, size = number + 1, size + own
        span, tail = part.span, None
        if number < len(records):
            at = records[number].offset
            span, tail = (
                span._replace(next_offset=at),
                replace(part, span=span._replace(start=at), records=records[number:]),
            )
        self._parts.append(Fetched(part.partition, span, records[:number], size))
        self._records, self._bytes = self._records + number, self._bytes + size
        self._offsets += span.next_offset - span.start
        return tail
