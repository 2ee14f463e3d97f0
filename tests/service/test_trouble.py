"""TransientError that passes is waited out, and another writer is noticed: nothing is lost, nothing applied twice."""

import asyncio

from bench.check import differences
from bench.events import Mix
from bench.publish import publish
from tests.service.test_stops import logged
from tests.support.projector import eventually, running_projector
from tests.support.world import World


async def test_promise_5_4_backends_killed_every_moment_of_a_drain_cost_nothing(world: World) -> None:
    mix = Mix(users=6_000, documents=12_000, updates=12_000)
    await world.create_topics(partitions=2)
    await publish(world.bootstrap, world.topics, mix.events())
    with running_projector(world.settings | {"BATCH_MAX_EVENTS": "300"}) as projector:
        eventually("the drain has begun", lambda: projector.status().get("batches", 0) > 0)
        for _ in range(12):
            await world.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            await asyncio.sleep(0.1)
        assert await world.value("SELECT sum(next_offset)::int FROM projector.offsets") < mix.total
        await world.until_consumed(mix.total, seconds=60)
        assert 'projector_retries_total{reason="' in projector.get("/metrics")[1]
        assert projector.terminate() == 0
    assert await differences(world.database_url, mix.truth) == 0
    totals = await world.totals()
    assert totals["applied"] + totals["parked"] == sum(totals.values()) == mix.total
    assert await world.value("SELECT count(*)::int FROM projector.dead_letters") == 0


async def test_promise_5_1_a_position_set_back_by_another_is_noticed_and_read_again(world: World) -> None:
    await world.create_topics()
    await world.publish_users(5)
    with running_projector(world.settings) as projector:
        await world.until_consumed(5)
        await world.rows(
            "UPDATE projector.offsets SET next_offset = 0, epoch = epoch + 1 WHERE topic = $1", world.users
        )
        await world.publish_users(5)
        await world.until("SELECT count(*)::int FROM users", 10)
        await world.until_consumed(10)
        assert "projector_fenced_total 1.0" in projector.get("/metrics")[1]
        assert len(logged(projector, "somebody else changed the positions")) == 1
    assert await world.totals() == {
        "applied": 10, "superseded": 5, "parked": 0, "rejected": 0, "ignored": 0, "skipped": 0,
    }  # fmt: skip


async def test_two_instances_share_the_partitions_and_one_takes_over(world: World) -> None:
    mix = Mix(users=6_000, documents=12_000, updates=12_000)
    await world.create_topics(partitions=4)
    settings = world.settings | {"BATCH_MAX_EVENTS": "500"}
    with running_projector(settings) as first, running_projector(settings) as second:
        for one in (first, second):
            eventually("it has half of the partitions", lambda one=one: len(one.status().get("partitions", [])) == 4)
        await publish(world.bootstrap, world.topics, mix.events())
        assert first.terminate() == 0
        await world.until_consumed(mix.total, seconds=60)
        assert second.status()["events"]["applied"] > 0
    assert await differences(world.database_url, mix.truth) == 0
    assert sum((await world.totals()).values()) == mix.total
