"""Gives the member of the group a new client where the one before hears no broker any more."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from neon_projector.consumer.kafka.consumer import GroupConsumer
from neon_projector.consumer.kafka.watch import Watch


async def read_while_heard(source: GroupConsumer, watch: Watch, read: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Read until cancelled. `read` joins the group with a new client, and reads; it is begun once more where the watch
    finds that its client is lost."""
    while True:
        reading = asyncio.create_task(read())
        lost = asyncio.create_task(watch.lost.wait())
        try:
            await asyncio.wait((reading, lost), return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                return reading.result()
        finally:
            for task in (reading, lost):
                task.cancel()
            await asyncio.gather(reading, lost, return_exceptions=True)
        await source.give_up_client()
