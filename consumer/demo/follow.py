"""Follows the running demo until all that is published is consumed."""

import asyncio
import time
from collections.abc import Callable

from neon_projector.consumer.demo.show import Show
from neon_projector.consumer.demo.watch import Moment, Watch

STALLED_SECONDS = 30.0
"""With nothing consumed for so long it is over; the proof tells what is missing."""
LAST_SECONDS = 0.1
"""Between two looks when only the last records are awaited."""


async def follow(watch: Watch, show: Show, publishing: "asyncio.Task[None]", given_up: Callable[[], bool]) -> None:
    """Show how things stand until `publishing` has ended and its records are consumed, or it is given up."""
    progress = _Progress()
    try:
        while not given_up():
            published_all = publishing.done()
            if published_all:
                publishing.result()  # its error, if it failed
            moment = await watch.look()
            show.moment(moment)
            if published_all and (moment.settled or progress.stalled(moment)):
                return
            if published_all:
                await asyncio.sleep(LAST_SECONDS)
            else:
                await asyncio.wait({publishing}, timeout=show.every)
    finally:
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)


class _Progress:
    def __init__(self) -> None:
        self._consumed, self._since = -1, 0.0

    def stalled(self, moment: Moment) -> bool:
        """Whether nothing has been consumed for STALLED_SECONDS."""
        if moment.consumed != self._consumed:
            self._consumed, self._since = moment.consumed, time.monotonic()
        return time.monotonic() - self._since > STALLED_SECONDS
