"""Several transactions at once: never two over one partition, and none before its parents' that came earlier."""

import asyncio
from collections.abc import Awaitable, Callable

from aiokafka import TopicPartition

from consumer.batch import Batch


class Flights:
    """Starts `apply` for each batch as a task of its own, up to `at_once`; `landed` is called when one has ended."""

    def __init__(self, apply: Callable[[Batch], Awaitable[None]], at_once: int, landed: Callable[[], None]) -> None:
        self._apply, self._at_once, self._landed = apply, at_once, landed
        self._flying: dict[asyncio.Task[None], Batch] = {}
        self._changed = asyncio.Event()
        self.idle = asyncio.Event()
        self.idle.set()
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Has the first error that no retry could mend."""

    @property
    def oldest_timestamps(self) -> dict[TopicPartition, int]:
        """Of each partition under way its first record's timestamp, in milliseconds."""
        return {partition: time for batch in self._flying.values() for partition, time in batch.oldest.items()}

    async def start(self, batch: Batch) -> None:
        """Wait until `batch` may begin, and let it."""
        while len(self._flying) >= self._at_once or any(_before(other, batch) for other in self._flying.values()):
            self._changed.clear()
            await self._changed.wait()
        task = asyncio.ensure_future(self._apply(batch))
        self._flying[task] = batch
        self.idle.clear()
        task.add_done_callback(self._land)

    def cancel(self) -> None:
        """Roll back whatever is under way."""
        for task in self._flying:
            task.cancel()

    def _land(self, task: asyncio.Task[None]) -> None:
        del self._flying[task]
        if not task.cancelled() and (error := task.exception()) is not None and not self.failed.done():
            self.failed.set_exception(error)
        if not self._flying:
            self.idle.set()
        self._changed.set()
        self._landed()


def _before(earlier: Batch, later: Batch) -> bool:
    """Whether `later` has to wait: for the same partition, or for what may be its parents."""
    return earlier.lowest < later.highest or not earlier.spans.keys().isdisjoint(later.spans)
