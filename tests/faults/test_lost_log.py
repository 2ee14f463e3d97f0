"""A broker that comes back without its log, or with less of it, while the topic is the same by name and id."""

import signal
from collections.abc import Iterator

import pytest

from tests.support.kafka import LocalKafka, local_kafka
from tests.support.projector import eventually, running_projector
from tests.support.topics import delete_records
from tests.support.world import World


@pytest.fixture
def broker() -> Iterator[LocalKafka]:
    with local_kafka() as kafka:
        yield kafka


@pytest.fixture
async def world(broker: LocalKafka, database: str) -> World:
    world = World.of_its_own(broker.bootstrap, database)
    await world.create_topics()
    return world


def lose_log(broker: LocalKafka, topic: str) -> None:
    broker.stop()
    (folder,) = broker.home.rglob(f"{topic}-0")
    for file in folder.iterdir():
        if file.name != "partition.metadata":
            file.unlink()
    for checkpoint in broker.home.rglob("*-checkpoint"):
        checkpoint.unlink()
    broker.start()


@pytest.mark.parametrize("records", [0, 2, 20], ids=["empty", "shorter", "longer"])
async def test_a_log_that_a_broker_has_lost_is_noticed_also_where_it_has_grown_past_the_position(
    world: World, broker: LocalKafka, records: int
) -> None:
    with running_projector(world.settings) as projector:
        await world.publish_users(5)
        await world.until_consumed(5)
        projector.process.send_signal(signal.SIGSTOP)
        lose_log(broker, world.users)
        if records:
            await world.publish_users(records)
        projector.process.send_signal(signal.SIGCONT)
        eventually("it is stopped", lambda: projector.stopped() & {"topic_changed", "position_not_in_topic"}, 30)
        assert await world.value("SELECT sum(next_offset)::int FROM projector.offsets") == 5
        assert projector.get("/health/ready")[0] == 503
        assert projector.terminate() == 0


async def test_a_broker_that_comes_back_when_retention_has_taken_the_last_record_is_read_on(
    world: World, broker: LocalKafka
) -> None:
    with running_projector(world.settings) as projector:
        await world.publish_users(5)
        await world.until_consumed(5)
        projector.process.send_signal(signal.SIGSTOP)
        await delete_records(world.bootstrap, world.users, before=5)
        broker.stop()
        broker.start()
        projector.process.send_signal(signal.SIGCONT)
        await world.publish_users(3)
        await world.until_consumed(8)
        eventually("it is ready", lambda: projector.get("/health/ready")[0] == 200)
        assert not projector.stopped()
        assert projector.terminate() == 0
