"""Repeats what a running service has got in between."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from neon_projector.consumer.errors import Conflict, Locked
from neon_projector.consumer.recovery.retrying import Backoff

T = TypeVar("T")

ATTEMPTS = 5
PATIENCE_SECONDS = 30.0


async def retry_conflicts(attempt: Callable[[], Awaitable[T]], patience: float = PATIENCE_SECONDS) -> T:
    """The answer of `attempt`, which is one whole transaction; Conflict where none of several came through; Locked
    where an application has held a row or a table for more than `patience` seconds. The service goes on in between."""
    backoff, conflicts, until = Backoff(), 0, time.monotonic() + patience
    while True:
        try:
            return await attempt()
        except Locked:
            if time.monotonic() > until:
                raise
        except Conflict:
            conflicts += 1
            if conflicts == ATTEMPTS:
                raise
        await backoff.pause()
