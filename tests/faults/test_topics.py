"""Topics that are deleted, created again or grow under the running service, on a broker that creates what it is asked.

`auto.create.topics.enable` is Kafka's default.
"""

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from tests.support.factories import a_record, a_user_event
from tests.support.kafka import LocalKafka, local_kafka
from tests.support.projector import Projector, command, eventually, running_projector
from tests.support.topics import create_topics, delete_topics, grow, list_topics
from tests.support.world import World

SOON = 15
"""Seconds, as promised."""


@pytest.fixture(scope="module")
def creating() -> Iterator[LocalKafka]:
    with local_kafka(auto_create_topics_enable="true") as kafka:
        yield kafka


@pytest.fixture
async def world(creating: LocalKafka, database: str) -> World:
    world = World.of_its_own(creating.bootstrap, database)
    await world.create_topics()
    return world


async def test_a_deleted_topic_stays_deleted_and_shows_whatever_runs(world: World) -> None:
    with running_projector(world.settings) as projector:
        await world.publish_users(2)
        await world.until_consumed(2)
        await delete_topics(world.bootstrap, world.documents)
        eventually(
            "it shows", lambda: f"{world.documents} does not exist" in projector.failed().get("topics", ""), SOON
        )
        assert f'projector_topic_missing{{topic="{world.documents}"}} 1.0' in projector.get("/metrics")[1]
        started = time.monotonic()
        for words in (("status",), ("offsets", "show"), ("verify",), ("explain", str(uuid4()))):
            done = await asyncio.to_thread(command, *words, settings=world.settings)
            assert "Traceback" not in done.stderr, words
        await world.publish_users(2)  # the other one is read on
        await world.until_consumed(4)
        await asyncio.sleep(max(0.0, 10 - (time.monotonic() - started)))  # as long as the promise says
        assert world.documents not in await list_topics(world.bootstrap)
        assert projector.terminate() == 0


@pytest.mark.parametrize("records", [2, 0, 9], ids=["shorter", "empty", "longer"])
async def test_a_topic_recreated_while_it_is_read_is_stopped_and_goes_on_after_a_reset(
    world: World, records: int
) -> None:
    with running_projector(world.settings) as projector:
        await world.publish_users(5)
        await world.until_consumed(5)
        await recreate(world, records)
        eventually("it is stopped", lambda: projector.stopped() == {"topic_changed"}, SOON)
        assert projector.get("/health/ready")[0] == 503
        assert await position(world) == 5
        status = json.loads((await asyncio.to_thread(command, "status", "--json", settings=world.settings)).stdout)
        assert "topic_changed" in [row["stopped"] for row in status["partitions"]]
        await goes_on_after_a_reset(world, projector, records)


async def test_a_topic_recreated_and_grown_past_the_position_while_the_process_is_frozen_is_noticed(
    world: World,
) -> None:
    with running_projector(world.settings) as projector:
        await world.publish_users(5)
        await world.until_consumed(5)
        projector.process.send_signal(signal.SIGSTOP)
        await recreate(world, 20)
        projector.process.send_signal(signal.SIGCONT)
        eventually("it is stopped", lambda: projector.stopped() == {"topic_changed"}, SOON)
        await goes_on_after_a_reset(world, projector, 20)


async def test_a_topic_recreated_while_nobody_runs_is_noticed_where_a_marker_stands_in_for_the_last_record(
    world: World,
) -> None:
    with running_projector(world.settings) as projector:
        await world.publish_users(5)
        await world.until_consumed(5)
        assert projector.terminate() == 0
    await recreate(world, 0)
    async with AIOKafkaProducer(bootstrap_servers=world.bootstrap, transactional_id=world.users) as producer:
        async with producer.transaction():
            for _ in range(4):
                await send(producer, world)
        async with producer.transaction():  # its first record stands at the position, after a marker
            for _ in range(3):
                await send(producer, world)
    with running_projector(world.settings) as projector:
        eventually("it is stopped", lambda: projector.stopped() == {"topic_changed"})
        assert await position(world) == 5


async def test_a_position_of_a_version_without_topic_ids_takes_the_present_one(world: World) -> None:
    await world.publish_users(5)
    with running_projector(world.settings):
        await world.until_consumed(5)
    first = await world.value("SELECT topic_id FROM projector.offsets WHERE topic = $1", world.users)
    await world.rows("UPDATE projector.offsets SET topic_id = NULL")
    with running_projector(world.settings) as projector:
        await world.until("SELECT count(topic_id)::int FROM projector.offsets", 2)
        eventually("it is ready", lambda: projector.get("/health/ready")[0] == 200)
        await world.publish_users(2)
        await world.until_consumed(7)
    assert await world.value("SELECT topic_id FROM projector.offsets WHERE topic = $1", world.users) == first


async def test_partitions_that_are_added_are_read_within_15_seconds_by_two_instances(world: World) -> None:
    with running_projector(world.settings) as one, running_projector(world.settings) as two:
        for instance in (one, two):
            eventually("it has one", lambda i=instance: len(i.status().get("partitions", [])) == 1)
        await grow(world.bootstrap, world.users, 4)
        await world.publish_users(40)
        await world.until_consumed(40, SOON)
        assert await world.value("SELECT count(*)::int FROM projector.offsets WHERE topic = $1", world.users) == 4
        for instance in (one, two):
            eventually("it is ready", lambda i=instance: i.get("/health/ready")[0] == 200)


async def test_a_topic_recreated_before_anything_was_read_of_it_is_simply_read(world: World) -> None:
    with running_projector(world.settings) as projector:
        eventually("it is ready", lambda: projector.get("/health/ready")[0] == 200)
        await recreate(world, 3)
        await world.until_consumed(3)
        eventually("it is ready", lambda: projector.get("/health/ready")[0] == 200)
        await recreate(world, 1)
        eventually("it is stopped", lambda: projector.stopped() == {"topic_changed"}, SOON)
        assert projector.terminate() == 0


async def goes_on_after_a_reset(world: World, projector: Projector, records: int) -> None:
    reset = ("offsets", "reset", "--topic", world.users, "--to-earliest", "--execute", "--yes")
    done = await asyncio.to_thread(command, *reset, settings=world.settings)
    assert done.returncode == 0, done.stderr
    await world.publish_users(1)
    await world.until(f"SELECT next_offset::int FROM projector.offsets WHERE topic = '{world.users}'", records + 1)
    eventually("it is ready", lambda: projector.get("/health/ready")[0] == 200)
    assert await world.value("SELECT count(*)::int FROM users") == 5 + records + 1
    assert projector.terminate() == 0


async def position(world: World) -> int:
    found: int = await world.value("SELECT next_offset::int FROM projector.offsets WHERE topic = $1", world.users)
    return found


async def send(producer: AIOKafkaProducer, world: World) -> None:
    record = a_record(a_user_event())
    await producer.send_and_wait(world.users, record.value, key=record.key)


async def recreate(world: World, records: int) -> None:
    await delete_topics(world.bootstrap, world.users)
    await create_topics(world.bootstrap, world.users)
    await world.publish_users(records)
