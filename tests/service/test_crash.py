"""Crashes in the middle of a drain leave no trace: tables, positions and totals are exact."""

import asyncio

from bench.check import differences
from bench.events import Mix
from bench.publish import publish
from tests.support.projector import running_projector
from tests.support.world import World

KILLS = 5


async def test_promise_5_1_and_5_2_after_kill_9_five_times_everything_is_exact(world: World) -> None:
    mix = Mix(users=8_000, documents=16_000, updates=16_000)
    await world.create_topics(partitions=4)
    await publish(world.bootstrap, world.topics, mix.events())
    settings = world.settings | {"BATCH_MAX_EVENTS": "500", "KAFKA_GROUP_INSTANCE_ID": "the-one"}
    for kill in range(1, KILLS + 1):
        with running_projector(settings) as projector:
            await until_beyond(world, mix.total * kill // (KILLS + 2))
            projector.kill()
    assert await consumed(world) < mix.total, "the last kill came too late to prove anything"
    with running_projector(settings) as projector:
        await world.until_consumed(mix.total, seconds=120)
        assert projector.terminate() == 0
    assert await differences(world.database_url, mix.truth) == 0
    totals = await world.totals()
    assert sum(totals.values()) == mix.total
    assert totals["applied"] + totals["parked"] == mix.total  # nothing was applied twice: a repeat is `superseded`
    assert await world.value("SELECT count(*)::int FROM projector.absent_states") == 0
    assert await world.value("SELECT count(*)::int FROM projector.dead_letters") == 0


async def consumed(world: World) -> int:
    sum_: int = await world.value("SELECT coalesce(sum(next_offset), 0)::int FROM projector.offsets")
    return sum_


async def until_beyond(world: World, offsets: int, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while await consumed(world) <= offsets:
            await asyncio.sleep(0.01)
