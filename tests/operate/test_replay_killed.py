"""`projector replay` is done once, however often it is killed, taken over, or loses its database."""

import asyncio
import random
import signal
from urllib.parse import urlsplit

import asyncpg
import pytest

from bench.events import Mix
from bench.publish import publish
from neon_projector.consumer.admin.replay import patience
from neon_projector.consumer.errors import Refused, TransientError
from tests.operate.commands import failed, told
from tests.operate.replaying import APPLIED, LEFT, LIVE, OF_REPLAY, REPLAY, REPLAYED, begin, contents
from tests.support.projector import running_projector
from tests.support.world import World


async def test_killed_at_ten_random_places_it_restores_everything_and_leaves_nothing_behind(world: World) -> None:
    await world.create_topics(partitions=2)
    mix, chance = Mix(users=800, documents=1_600, updates=1_600, partial=0.3), random.Random(20)
    await publish(world.bootstrap, world.topics, mix.events())
    with running_projector(world.settings) as projector:
        await world.until(APPLIED, mix.total)
        assert projector.terminate() == 0
    before, live = await contents(world), await world.rows(LIVE)
    await world.rows("TRUNCATE users CASCADE")
    runner = begin(world, *REPLAY, "--max-rate", "400")
    await world.until("SELECT count(*)::int FROM projector.operations", 1)
    for number in range(10):
        claimed = f"SELECT coalesce(sum(epoch), 0)::int FROM projector.offsets {OF_REPLAY}"
        await world.until(claimed, 4 * (number + 1))
        done = await world.value(REPLAYED)
        await world.until(f"{REPLAYED} >= {done + chance.randrange(200)}", True)
        await asyncio.sleep(chance.random() / 50)  # any place within a batch
        runner.kill()
        assert await asyncio.to_thread(runner.wait) == -signal.SIGKILL
        runner = begin(world, "operations", "resume", "1")
    await world.until(claimed, 44)
    runner.kill()
    runner.wait()
    result = await told(world, "operations", "resume", "1", "--max-rate", "0")
    assert sum(result["outcomes"].values()) == result["total"] == mix.total
    assert (result["left_out"], result["lost"]) == (0, {})
    assert await contents(world) == before
    assert await world.rows(LIVE) == live
    assert await world.value(LEFT) == 0
    assert await world.value("SELECT state FROM projector.operations") == "completed"


async def test_of_two_runners_the_earlier_is_fenced_and_a_cancelled_one_stops(filled: World) -> None:
    world = filled
    runner = begin(world, *REPLAY, "--max-rate", "20")
    await world.until(f"{REPLAYED} > 0", True)
    result = await told(world, "operations", "resume", "1", "--max-rate", "0")
    assert sum(result["outcomes"].values()) == result["total"] == 240
    _, err = await asyncio.to_thread(runner.communicate)
    assert (runner.returncode, b"Somebody else goes on with it" in err) == (4, True)

    runner = begin(world, *REPLAY, "--max-rate", "20")
    await world.until(f"{REPLAYED} > 0", True)
    assert (await told(world, "operations", "cancel", "2"))["state"] == "cancelled"
    _, err = await asyncio.to_thread(runner.communicate)
    assert (runner.returncode, b"Somebody has cancelled it" in err) == (4, True)
    assert await world.value(LEFT) == 0
    assert isinstance(await failed(world, "operations", "resume", "2"), Refused)
    states = await world.rows("SELECT state FROM projector.operations ORDER BY id")
    assert [row["state"] for row in states] == ["completed", "cancelled"]


async def test_a_database_that_is_lost_for_long_leaves_it_resumable(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, name = filled, urlsplit(filled.database_url).path[1:]
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 0.5)
    server = await asyncpg.connect(urlsplit(world.database_url)._replace(path="/postgres").geturl())
    replaying = asyncio.create_task(failed(world, *REPLAY, "--max-rate", "100"))
    await world.until(f"{REPLAYED} > 0", True)
    await server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    await server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    error = await replaying
    assert isinstance(error, TransientError)
    await server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    await server.close()
    assert await world.value("SELECT state FROM projector.operations") == "running"
    result = await told(world, "operations", "resume", "1")
    assert sum(result["outcomes"].values()) == result["total"] == 240
    assert await world.value(LEFT) == 0
