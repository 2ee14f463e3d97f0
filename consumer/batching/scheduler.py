"""Several transactions at once: never two over one partition, and none before its parents' that came earlier."""

import asyncio
from collections.abc import Awaitable, Callable

from aiokafka import TopicPartition

from neon_projector.consumer.batch import Batch

WAITING = 1
"""Batches that are ready and have to wait: so one that begins need not be decoded first."""


class Scheduler:
    """Starts `apply` for each batch as a task of its own, up to `at_once`; `changed` is set when one has ended."""

    def __init__(self, apply: Callable[[Batch], Awaitable[None]], at_once: int, changed: asyncio.Event) -> None:
        self._apply, self._at_once, self._one_has_ended = apply, at_once, changed
        self._batches: list[Batch] = []
        """Those under way and those that have to wait, as they came."""
        self._tasks: dict[asyncio.Task[None], Batch] = {}
        self._changed = asyncio.Event()
        self.idle = asyncio.Event()
        self.idle.set()
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Has the first error that retrying could not fix."""

    @property
    def oldest_timestamps(self) -> dict[TopicPartition, int]:
        """Of each partition the timestamp of the first record that is here, in milliseconds."""
        return {
            partition: part.first_timestamp_ms
            for batch in reversed(self._batches)
            for partition, part in batch.parts.items()
            if part.first_timestamp_ms is not None
        }

    @property
    def running(self) -> int:
        """How many batches are being written, or wait for one of those."""
        return len(self._batches)

    async def start(self, batch: Batch) -> None:
        """Let `batch` begin as soon as nothing hinders it; returns when the next one may be brought."""
        self._batches.append(batch)
        self._begin()
        while len(self._batches) - len(self._tasks) > WAITING:
            self._changed.clear()
            await self._changed.wait()

    async def drain(self) -> None:
        """Let what is under way come to its end, and nothing begin any more."""
        self._batches = list(self._tasks.values())
        self._tell()
        await self.idle.wait()

    def cancel(self) -> None:
        """Roll back whatever is under way."""
        self._batches = list(self._tasks.values())
        self._tell()
        for task in self._tasks:
            task.cancel()

    def _begin(self) -> None:
        """All that may begin now; for those behind it, one that has to wait is as good as under way."""
        for number, batch in enumerate(self._batches):
            if (
                len(self._tasks) < self._at_once
                and all(batch is not begun for begun in self._tasks.values())
                and not any(_hinders(other, batch) for other in self._batches[:number])
            ):
                task = asyncio.ensure_future(self._apply(batch))
                self._tasks[task] = batch
                task.add_done_callback(self._done)
        self._tell()

    def _done(self, task: asyncio.Task[None]) -> None:
        done = self._tasks.pop(task)
        self._batches = [batch for batch in self._batches if batch is not done]
        if not task.cancelled() and (error := task.exception()) is not None and not self.failed.done():
            self.failed.set_exception(error)
        self._begin()
        self._one_has_ended.set()

    def _tell(self) -> None:
        if self._batches:
            self.idle.clear()
        else:
            self.idle.set()
        self._changed.set()


def _hinders(earlier: Batch, later: Batch) -> bool:
    """Whether `later` has to wait: for the same partition, or for what may be its parents."""
    return earlier.min_depth < later.max_depth or not earlier.parts.keys().isdisjoint(later.parts)
