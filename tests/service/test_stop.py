"""SIGTERM: the batch in hand is finished or rolled back, the group left, exit status 0, soon."""

import json
import time

import pytest

from bench.events import Mix
from bench.publish import publish
from tests.support.kafka import group_members
from tests.support.projector import eventually, running_projector
from tests.support.world import World


async def test_sigterm_in_a_drain_leaves_whole_batches_and_no_member(world: World) -> None:
    mix = Mix(users=10_000, documents=20_000, updates=20_000)
    await world.create_topics(partitions=4)
    await publish(world.bootstrap, world.topics, mix.events())
    with running_projector(world.settings | {"BATCH_MAX_EVENTS": "1000"}) as projector:
        eventually("some batches are written", lambda: projector.status().get("batches", 0) > 2)
        started = time.monotonic()
        assert projector.terminate() == 0
        assert time.monotonic() - started < 10
    totals = await world.totals()
    moved = await world.value("SELECT sum(next_offset)::int FROM projector.offsets")
    assert 0 < sum(totals.values()) == moved < mix.total
    assert group_members(world.bootstrap, world.group) == 0


async def test_sigterm_while_the_database_does_not_answer_ends_too(world: World) -> None:
    await world.create_topics()
    with running_projector(world.settings) as projector:
        eventually("it is ready", lambda: projector.get("/health/ready")[0] == 200)
        await world.publish_users(1)
        await world.until_consumed(1)
        async with world.locked("users"):
            await world.publish_users(1)
            eventually("a batch waits for the lock", lambda: any(p["lag"] for p in projector.status()["partitions"]))
            assert projector.terminate() == 0
            assert "it is rolled back" in projector.logged()
    assert await world.value("SELECT sum(next_offset)::int FROM projector.offsets") == 1


async def test_sigterm_before_it_has_joined_ends_at_once_and_speaks_of_no_batch(world: World) -> None:
    with running_projector(world.settings | {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}) as projector:
        eventually("Kafka does not answer", lambda: "Kafka" in projector.logged())
        started = time.monotonic()
        assert projector.terminate() == 0
        assert time.monotonic() - started < 5
        assert "current batch" not in projector.logged()


async def test_sigint_stops_as_cleanly_and_is_130(world: World) -> None:
    await world.create_topics()
    with running_projector(world.settings) as projector:
        eventually("it is ready", lambda: projector.get("/health/ready")[0] == 200)
        projector.process.send_signal(2)
        assert projector.process.wait(10) == 130
        last = json.loads(projector.logged().splitlines()[-1])
    assert last["message"] == "stopped"


@pytest.mark.parametrize("setting", ["json", "text"])
async def test_promise_5_8_what_is_logged_names_no_content_of_events(world: World, setting: str) -> None:
    await world.create_topics()
    await world.publish_users(3, name="Secretive Person")
    with running_projector(world.settings | {"LOG_FORMAT": setting, "LOG_LEVEL": "debug"}) as projector:
        await world.until_consumed(3)
        assert projector.terminate() == 0
        assert "Secretive" not in projector.logged()
        assert "stopped" in projector.logged()
