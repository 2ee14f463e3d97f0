"""Two instances with one KAFKA_GROUP_INSTANCE_ID: one stops and names the setting. A restart is no second instance."""

import signal

from tests.support.projector import eventually, running_projector
from tests.support.world import World

NAMED = "KAFKA_GROUP_INSTANCE_ID"


async def test_the_one_that_was_there_first_stops_and_names_the_setting(world: World) -> None:
    await world.create_topics(2)
    settings = world.settings | {NAMED: "a"}
    with running_projector(settings) as first:
        await world.publish_users(3)
        await world.until_consumed(3)
        with running_projector(settings) as second:
            assert first.process.wait(20) == 3
            assert NAMED in first.logged().splitlines()[-1]
            await world.publish_users(3)
            await world.until_consumed(6)
            eventually("it is ready", lambda: second.get("/health/ready")[0] == 200)
            assert "projector_rebalances_total 0.0" in second.get("/metrics")[1]
            assert second.terminate() == 0


async def test_started_at_the_same_moment_one_goes_on_and_the_others_name_the_setting(world: World) -> None:
    await world.create_topics(2)
    settings = world.settings | {NAMED: "a"}
    with running_projector(settings) as one, running_projector(settings) as two, running_projector(settings) as three:
        instances = [one, two, three]
        eventually("one is left", lambda: sum(i.process.poll() is None for i in instances) == 1)
        (left,) = [i for i in instances if i.process.poll() is None]
        for stopped in instances:
            if stopped is not left:
                assert stopped.process.returncode == 3
                assert NAMED in stopped.logged().splitlines()[-1]
        await world.publish_users(3)
        await world.until_consumed(3)
        assert left.terminate() == 0


async def test_an_instance_that_is_restarted_or_was_frozen_longer_than_its_session_goes_on(world: World) -> None:
    await world.create_topics(2)
    settings = world.settings | {NAMED: "a"}
    with running_projector(settings) as killed:
        await world.publish_users(3)
        await world.until_consumed(3)
        killed.kill()
    with running_projector(settings) as heir:
        await world.publish_users(3)
        await world.until_consumed(6, seconds=8)
        with running_projector(world.settings | {NAMED: "b"}) as other:
            eventually("it has its half", lambda: len(other.status().get("partitions", [])) == 2)
            heir.process.send_signal(signal.SIGSTOP)
            eventually("it has all", lambda: len(other.status().get("partitions", [])) == 4)
            heir.process.send_signal(signal.SIGCONT)
            eventually("it is back", lambda: len(heir.status().get("partitions", [])) == 2)
            assert other.terminate() == 0
        assert heir.terminate() == 0
