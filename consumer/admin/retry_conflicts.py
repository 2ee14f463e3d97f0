"""Repeats what a running service has got in between."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from neon_projector.consumer.errors import Conflict
from neon_projector.consumer.recovery.retrying import Backoff

T = TypeVar("T")

ATTEMPTS = 5


async def retry_conflicts(attempt: Callable[[], Awaitable[T]]) -> T:
    """The answer of `attempt`, which is one whole transaction; Conflict where none of several came through."""
    backoff = Backoff()
    for left in reversed(range(ATTEMPTS)):
        try:
            return await attempt()
        except Conflict:
            if not left:
                raise
            await backoff.pause()
    raise AssertionError("the last attempt returns or raises")
