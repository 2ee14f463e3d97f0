"""Ends what is done with a client that hears no broker any more."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def until_lost(lost: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Work until that ends, or `lost` is set: then it is cancelled. An error of `work` is raised."""
    working = asyncio.create_task(work)
    losing = asyncio.create_task(lost.wait())
    try:
        await asyncio.wait((working, losing), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        for task in (working, losing):
            task.cancel()
        await asyncio.gather(working, losing, return_exceptions=True)
