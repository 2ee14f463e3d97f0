"""What may be under way at the same time."""

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


class Tower:
    """Lets batches land by name."""

    def __init__(self, at_once: int = 9) -> None:
        self.under_way: dict[str, asyncio.Future[None]] = {}
        self.scheduler = Scheduler(self._apply, at_once, lambda: None)

    async def _apply(self, batch: Batch) -> None:
        name = min(batch.parts).topic
        self.under_way[name] = asyncio.get_running_loop().create_future()
        try:
            await self.under_way[name]
        finally:
            del self.under_way[name]

    async def start(self, batch: Batch) -> asyncio.Task[None]:
        starting = asyncio.ensure_future(self.scheduler.start(batch))
        await settled()
        return starting

    async def land(self, name: str) -> None:
        self.under_way[name].set_result(None)
        await settled()


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_batches_over_other_partitions_are_under_way_together() -> None:
    tower = Tower()
    assert (await tower.start(a_batch("a"))).done()
    assert (await tower.start(a_batch("b"))).done()
    assert set(tower.under_way) == {"a", "b"}
    assert not tower.scheduler.idle.is_set()
    await tower.land("a")
    await tower.land("b")
    assert tower.scheduler.idle.is_set()


async def test_never_two_over_one_partition() -> None:
    tower = Tower()
    await tower.start(a_batch("a", "b"))
    await tower.start(a_batch("b", "c"))
    assert set(tower.under_way) == {"a"}
    await tower.land("a")
    assert set(tower.under_way) == {"b"}


async def test_one_that_waits_holds_up_only_what_must_come_after_it() -> None:
    tower = Tower()
    await tower.start(a_batch("a"))
    await tower.start(a_batch("a", "b"))
    await tower.start(a_batch("c"))
    assert set(tower.under_way) == {"a", "c"}
    await tower.start(a_batch("b"))
    assert set(tower.under_way) == {"a", "c"}, "its partition's earlier records have not begun"
    assert tower.scheduler.oldest_timestamps == dict.fromkeys(map(partition, "abc"), 1)


async def test_children_wait_for_parents_but_not_the_other_way_round() -> None:
    tower = Tower()
    await tower.start(a_batch("users"))
    await tower.start(a_batch("documents", depth=1))
    assert set(tower.under_way) == {"users"}
    await tower.start(a_batch("more users"))
    assert set(tower.under_way) == {"users", "more users"}
    await tower.land("users")
    assert set(tower.under_way) == {"documents", "more users"}


async def test_no_more_than_so_many_at_once() -> None:
    tower = Tower(at_once=2)
    for name in "abc":
        await tower.start(a_batch(name))
    assert set(tower.under_way) == {"a", "b"}
    await tower.land("b")
    assert set(tower.under_way) == {"a", "c"}


async def test_no_more_are_ready_than_one() -> None:
    tower = Tower(at_once=1)
    await tower.start(a_batch("a"))
    assert (await tower.start(a_batch("b"))).done()
    third = await tower.start(a_batch("c"))
    assert not third.done()
    await tower.land("a")
    assert third.done()


async def test_the_last_ones_land_and_none_begins_any_more() -> None:
    tower = Tower(at_once=1)
    await tower.start(a_batch("a"))
    await tower.start(a_batch("b"))
    last = asyncio.ensure_future(tower.scheduler.drain())
    await settled()
    assert not last.done()
    await tower.land("a")
    assert last.done()
    assert not tower.under_way


async def test_the_first_error_is_told_and_the_rest_can_be_rolled_back() -> None:
    tower = Tower()
    await tower.start(a_batch("a"))
    await tower.start(a_batch("b"))
    tower.under_way["a"].set_exception(LookupError("a bug"))
    with pytest.raises(LookupError):
        await tower.scheduler.failed
    tower.scheduler.cancel()
    await asyncio.wait_for(tower.scheduler.idle.wait(), 1)
    assert not tower.under_way
