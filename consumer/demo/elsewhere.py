"""The demo's stream alone, published to a broker that is there already: something to look at in any system."""

import asyncio
import secrets

from rich.console import Console

from neon_projector.consumer.demo.interrupt import Interrupt
from neon_projector.consumer.demo.publish import Publisher
from neon_projector.consumer.demo.session import INTERRUPTED, RECORDS, clear_errors
from neon_projector.consumer.demo.stream.stream import Stream
from neon_projector.consumer.demo.stream.truth import Truth
from neon_projector.consumer.wording import counted

TELL_SECONDS = 10.0


def publish_elsewhere(console: Console, bootstrap: str, *, keep: bool) -> int:
    """Publish to the topics `users` and `documents`; returns the exit status. DemoFailed: one line says why."""
    with Interrupt() as interrupt, clear_errors():
        return asyncio.run(_publish(console, interrupt, bootstrap, None if keep else RECORDS))


async def _publish(console: Console, interrupt: Interrupt, bootstrap: str, most: int | None) -> int:
    truth = Truth()
    stream = Stream(truth, secrets.randbits(32))  # never the same twice: its entities would be taken for the old ones
    async with Publisher(bootstrap, truth) as publisher:
        publishing = asyncio.create_task(publisher.publish(stream, interrupt.event(), most))
        while not publishing.done():
            await asyncio.wait({publishing}, timeout=TELL_SECONDS)
            bad = len(truth.dead_letters)
            console.print(
                f"published {counted(truth.published, 'record')}, of which {bad:,} bad", highlight=False, soft_wrap=True
            )
        publishing.result()
    return INTERRUPTED if interrupt.times and most is not None else 0
