"""Which batches may run at the same time."""

import asyncio

import pytest
from aiokafka import TopicPartition

from neon_projector.consumer.batch import Batch, Part
from neon_projector.consumer.batching.scheduler import Scheduler
from neon_projector.consumer.offsets.claim import OffsetRange


def partition(name: str) -> TopicPartition:
    return TopicPartition(name, 0)


def a_batch(*partitions: str, depth: int = 0) -> Batch:
    parts = {partition(name): Part(OffsetRange(0, 1, 1), records=1, first_timestamp_ms=1) for name in partitions}
    return Batch(parts=parts, min_depth=depth, max_depth=depth)


class Running:
    """A scheduler, and the batches that it has begun: `finish` ends one by name."""

    def __init__(self, at_once: int = 9) -> None:
        self.batches: dict[str, asyncio.Future[None]] = {}
        self.scheduler = Scheduler(self._apply, at_once, asyncio.Event())

    async def _apply(self, batch: Batch) -> None:
        name = min(batch.parts).topic
        self.batches[name] = asyncio.get_running_loop().create_future()
        try:
            await self.batches[name]
        finally:
            del self.batches[name]

    async def start(self, batch: Batch) -> asyncio.Task[None]:
        starting = asyncio.ensure_future(self.scheduler.start(batch))
        await settled()
        return starting

    async def finish(self, name: str) -> None:
        self.batches[name].set_result(None)
        await settled()


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_batches_over_other_partitions_run_together() -> None:
    running = Running()
    assert (await running.start(a_batch("a"))).done()
    assert (await running.start(a_batch("b"))).done()
    assert set(running.batches) == {"a", "b"}
    assert not running.scheduler.idle.is_set()
    await running.finish("a")
    await running.finish("b")
    assert running.scheduler.idle.is_set()


async def test_never_two_over_one_partition() -> None:
    running = Running()
    await running.start(a_batch("a", "b"))
    await running.start(a_batch("b", "c"))
    assert set(running.batches) == {"a"}
    await running.finish("a")
    assert set(running.batches) == {"b"}


async def test_one_that_waits_holds_up_only_what_must_come_after_it() -> None:
    running = Running()
    await running.start(a_batch("a"))
    await running.start(a_batch("a", "b"))
    await running.start(a_batch("c"))
    assert set(running.batches) == {"a", "c"}
    await running.start(a_batch("b"))
    assert set(running.batches) == {"a", "c"}, "its partition's earlier records have not begun"
    assert running.scheduler.oldest_timestamps == dict.fromkeys(map(partition, "abc"), 1)


async def test_children_wait_for_parents_but_not_the_other_way_round() -> None:
    running = Running()
    await running.start(a_batch("users"))
    await running.start(a_batch("documents", depth=1))
    assert set(running.batches) == {"users"}
    await running.start(a_batch("more users"))
    assert set(running.batches) == {"users", "more users"}
    await running.finish("users")
    assert set(running.batches) == {"documents", "more users"}


async def test_no_more_than_so_many_at_once() -> None:
    running = Running(at_once=2)
    for name in "abc":
        await running.start(a_batch(name))
    assert set(running.batches) == {"a", "b"}
    await running.finish("b")
    assert set(running.batches) == {"a", "c"}


async def test_no_more_are_ready_than_one() -> None:
    running = Running(at_once=1)
    await running.start(a_batch("a"))
    assert (await running.start(a_batch("b"))).done()
    third = await running.start(a_batch("c"))
    assert not third.done()
    await running.finish("a")
    assert third.done()


async def test_the_last_ones_are_finished_and_none_begins_any_more() -> None:
    running = Running(at_once=1)
    await running.start(a_batch("a"))
    await running.start(a_batch("b"))
    last = asyncio.ensure_future(running.scheduler.drain())
    await settled()
    assert not last.done()
    await running.finish("a")
    assert last.done()
    assert not running.batches


async def test_the_first_error_is_told_and_the_rest_can_be_rolled_back() -> None:
    running = Running()
    await running.start(a_batch("a"))
    await running.start(a_batch("b"))
    running.batches["a"].set_exception(LookupError("a bug"))
    with pytest.raises(LookupError):
        await running.scheduler.failed
    running.scheduler.cancel()
    await asyncio.wait_for(running.scheduler.idle.wait(), 1)
    assert not running.batches
