"""How fast long work goes: at most as fast as it was told, and slower while the live service falls behind."""

import asyncio
import time
from collections.abc import Awaitable, Callable

LOOK_SECONDS = 1.0
"""How often it asks how far the live service is behind."""
BEHIND_SECONDS = 0.1
"""With less the live service is as fresh as it should be."""
LEAST_RATE = 200.0
"""It never goes slower than so many records a second because of the live service."""
CATCH_UP_SECONDS = 0.1
"""What it was too slow by, it makes good for no longer than that: the rate is a limit."""
COMES_BACK = 1.1
"""By this factor it goes faster again each time that the live service is fresh."""


class Pace:
    """`passed` waits so long that no more than `max_rate` records a second pass (None: no such limit).

    `behind` tells by how many seconds the live service is behind now. While that is too much and does not become less,
    the rate is halved, each second; then it comes back slowly.
    """

    def __init__(
        self,
        max_rate: float | None,
        behind: Callable[[], Awaitable[float]],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._max_rate, self._behind, self._clock, self._sleep = max_rate, behind, clock, sleep
        self.rate = max_rate
        """The limit of now; None: as fast as it can."""
        self._due = self._looked_at = clock()
        self._passed = 0
        """Since it was looked last."""
        self._was_behind = 0.0

    async def passed(self, number: int) -> None:
        """So many are done; returns when the next ones may begin."""
        self._passed += number
        now = self._clock()
        if now - self._looked_at >= LOOK_SECONDS:
            self._give_way(await self._behind(), self._passed / (now - self._looked_at))
            self._looked_at, self._passed = self._clock(), 0
        if self.rate is not None:
            self._due = max(self._due, now - CATCH_UP_SECONDS) + number / self.rate
            if (early := self._due - self._clock()) > 0:
                await self._sleep(early)

    def _give_way(self, behind: float, measured: float) -> None:
        suffers = behind > BEHIND_SECONDS and behind >= self._was_behind
        self._was_behind = behind
        if suffers:
            self.rate = max(min(self.rate or measured, measured) / 2, LEAST_RATE)
            self.rate = min(self.rate, self._max_rate or self.rate)
        elif behind <= BEHIND_SECONDS and self.rate is not None and self.rate != self._max_rate:
            self.rate *= COMES_BACK
            if self._max_rate is None and self.rate > 2 * measured:
                self.rate = None  # it is not what holds the work back
            elif self._max_rate is not None:
                self.rate = min(self.rate, self._max_rate)
