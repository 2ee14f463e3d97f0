"""Asks again, with growing pauses, until an answer comes."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, TypeVar

from neon_projector.consumer.errors import TransientError

T = TypeVar("T")

FIRST_DELAY_SECONDS = 0.05
LONGEST_DELAY_SECONDS = 5.0


class Backoff:
    """Growing pauses with full jitter (tenths of a second to a few seconds); `reset` after a success."""

    def __init__(self) -> None:
        self._attempt = 0

    def reset(self) -> None:
        self._attempt = 0

    @property
    def begun(self) -> bool:
        """Whether there was a pause since the last success."""
        return self._attempt > 0

    async def pause(self) -> None:
        longest = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2**self._attempt)
        self._attempt += 1
        await asyncio.sleep(random.uniform(longest / 2, longest))  # noqa: S311  jitter, not a secret


class Listener(Protocol):
    """Hears of each answer and each error."""

    def answered(self) -> None:
        """There was an answer."""

    def troubled(self, trouble: TransientError, *, again: bool) -> None:
        """There was none, and it is asked once more; `again`: this is not the first time in a row."""


class Retrying:
    """Repeats what fails with a TransientError. Within `boundary`, a library's errors become the service's own."""

    def __init__(self, listener: Listener, boundary: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        self._listener, self._boundary = listener, boundary

    async def until_answered(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer of `ask`, repeated for as long as it fails with a TransientError; other errors as they are."""
        backoff = Backoff()
        while True:
            try:
                with self._boundary():
                    answer = await ask()
            except TransientError as trouble:
                await self.wait(trouble, backoff)
            else:
                self._listener.answered()
                return answer

    async def wait(self, trouble: TransientError, backoff: Backoff) -> None:
        """Tell of `trouble`, and pause."""
        self._listener.troubled(trouble, again=backoff.begun)
        await backoff.pause()
