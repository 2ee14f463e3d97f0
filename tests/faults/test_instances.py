"""Three instances share a drain, each killed with -9 at random places and started again, members coming and going."""

import asyncio
import random
from contextlib import ExitStack

from bench.check import differences
from bench.events import Mix
from tests.support.projector import Projector, eventually, running_projector
from tests.support.world import World

KILLS = 9


async def test_three_instances_killed_at_random_leave_exact_tables(backlog: World, mix: Mix) -> None:
    rng = random.Random(4)
    with ExitStack() as started:
        running = [start(backlog, started, name) for name in ("a", "b", "c")]
        for kill in range(KILLS):
            await beyond(backlog, mix.total * (kill + 1) // (KILLS + 3))
            place = rng.randrange(3)
            running[place].kill()
            name = ("a", "b", "c")[place] if rng.random() < 0.7 else f"newcomer-{kill}"
            running[place] = start(backlog, started, name)
        assert await consumed(backlog) < mix.total, "the last kill came too late to prove anything"
        await backlog.until_consumed(mix.total, seconds=120)
        for one in running:
            eventually("it is up", lambda one=one: one.get("/health/live")[0] == 200)
            assert one.terminate() == 0
    assert await differences(backlog.database_url, mix.truth) == 0
    totals = await backlog.totals()
    assert totals["applied"] + totals["parked"] == sum(totals.values()) == mix.total
    assert await backlog.value("SELECT count(*)::int FROM projector.absent_states") == 0
    assert await backlog.value("SELECT count(*)::int FROM projector.dead_letters") == 0


def start(world: World, started: ExitStack, name: str) -> Projector:
    settings = world.settings | {"BATCH_MAX_EVENTS": "300", "KAFKA_GROUP_INSTANCE_ID": name}
    return started.enter_context(running_projector(settings))


async def consumed(world: World) -> int:
    found: int = await world.value("SELECT coalesce(sum(next_offset), 0)::int FROM projector.offsets")
    return found


async def beyond(world: World, offsets: int) -> None:
    async with asyncio.timeout(120):
        while await consumed(world) <= offsets:
            await asyncio.sleep(0.02)
