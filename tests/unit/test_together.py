"""Of tasks that run together the first error comes out, alone and without any noise."""

import asyncio
import inspect
from contextlib import suppress

import pytest

from neon_projector.consumer.admin.verify.together import together


async def test_what_is_begun_after_a_failure_never_runs_and_is_closed() -> None:
    async def fails() -> None:
        raise ValueError("the first")

    async def work() -> None:
        async with together() as group:
            group.create_task(fails())
            with suppress(asyncio.CancelledError):  # as a client of Kafka may do while it closes
                await asyncio.Event().wait()
            group.create_task(late)

    late = asyncio.sleep(0)
    with pytest.raises(ValueError, match="the first"):
        await work()
    assert inspect.getcoroutinestate(late) == inspect.CORO_CLOSED
