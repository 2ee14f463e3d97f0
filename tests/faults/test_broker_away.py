"""A broker that is away, for long or for a moment, frozen or moved: seen within seconds, and read again after."""

import asyncio
import os
import signal
import time

import pytest

from neon_projector.consumer.demo.servers.ports import free_port
from tests.support.kafka import LocalKafka
from tests.support.projector import Projector, eventually, running_projector
from tests.support.world import World

SEEN_SECONDS = 8
BACK_SECONDS = 45


@pytest.fixture
async def world(broker: LocalKafka, database: str) -> World:
    world = World.of_its_own(broker.bootstrap, database)
    await world.create_topics(2)
    return world


async def test_an_outage_is_seen_within_seconds_and_counted_and_told_in_a_few_lines(
    world: World, broker: LocalKafka
) -> None:
    with running_projector(world.settings) as projector:
        await world.publish_users(3)
        await world.until_consumed(3)
        await asyncio.to_thread(is_well, projector)
        broker.stop()
        await asyncio.to_thread(is_cut_off, projector)
        before = retries(projector)
        await asyncio.sleep(12)  # beyond the session, and the time after which the client is given up
        assert projector.get("/health/ready")[0] == 503
        assert projector.get("/health/live")[0] == 200
        assert retries(projector) - before >= 5
        broker.start()
        await world.publish_users(3)
        await world.until_consumed(6, BACK_SECONDS)
        await asyncio.to_thread(is_well, projector)
        lines = projector.logged().splitlines()
        assert len(lines) < 25, "more than one line for each change of state"
        assert sum("Kafka does not answer" in line for line in lines) == 1
        assert sum("Kafka answers again" in line for line in lines) == 1
        assert projector.terminate() == 0
    assert await world.totals() == dict.fromkeys(await world.totals(), 0) | {"applied": 6}


async def test_a_broker_that_crashes_and_is_back_in_a_moment_is_read_at_once(world: World, broker: LocalKafka) -> None:
    with running_projector(world.settings) as projector:
        await world.publish_users(3)
        await world.until_consumed(3)
        broker.stop()
        broker.start()
        await world.publish_users(3)
        await world.until_consumed(6, BACK_SECONDS)
        await asyncio.to_thread(is_well, projector)
        assert projector.terminate() == 0


async def test_a_broker_that_moved_to_another_listed_address_is_read_again(world: World, broker: LocalKafka) -> None:
    elsewhere = free_port()
    servers = f"{world.bootstrap},127.0.0.1:{elsewhere}"
    with running_projector(world.settings | {"KAFKA_BOOTSTRAP_SERVERS": servers}) as projector:
        await world.publish_users(3)
        await world.until_consumed(3)
        broker.move(elsewhere)
        await World(broker.bootstrap, world.database_url, world.users, world.documents).publish_users(3)
        await world.until_consumed(6, BACK_SECONDS)
        await asyncio.to_thread(is_well, projector)
        assert value(projector, "projector_kafka_clients_renewed_total") >= 1
        assert projector.terminate() == 0


async def test_a_broker_that_is_frozen_is_seen_and_read_again(world: World, broker: LocalKafka) -> None:
    """Its connections stay, and nothing answers: as with a network that swallows everything."""
    with running_projector(world.settings) as projector:
        await world.publish_users(3)
        await world.until_consumed(3)
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            await asyncio.to_thread(is_cut_off, projector)
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        await world.publish_users(3)
        await world.until_consumed(6, BACK_SECONDS)
        await asyncio.to_thread(is_well, projector)
        assert projector.terminate() == 0


async def test_sigterm_during_an_outage_ends_within_seconds(world: World, broker: LocalKafka) -> None:
    with running_projector(world.settings) as projector:
        await world.publish_users(3)
        await world.until_consumed(3)
        broker.stop()
        await asyncio.to_thread(is_cut_off, projector)
        assert projector.terminate(15) == 0
    broker.start()


def is_well(projector: Projector) -> None:
    eventually("it is ready", lambda: projector.get("/health/ready")[0] == 200, BACK_SECONDS)
    eventually("its lag is told", lambda: "projector_consumer_lag{" in projector.get("/metrics")[1])
    assert value(projector, "projector_kafka_up") == 1
    assert time.time() - value(projector, "projector_kafka_last_answer_timestamp_seconds") < 5


def is_cut_off(projector: Projector) -> None:
    started = time.monotonic()
    eventually("it is not ready", lambda: '"kafka"' in projector.get("/health/ready")[1])
    assert time.monotonic() - started < SEEN_SECONDS
    eventually("no lag is told", lambda: "projector_consumer_lag{" not in projector.get("/metrics")[1], 2)
    assert value(projector, "projector_kafka_up") == 0
    status = projector.status()
    assert {p["lag"] for p in status["partitions"]} == {None}
    assert status["trouble"]
    assert status["kafka_answered_at"] < time.time() - 1


def retries(projector: Projector) -> float:
    return value(projector, 'projector_retries_total{reason="kafka"}')


def value(projector: Projector, name: str) -> float:
    for line in projector.get("/metrics")[1].splitlines():
        if line.startswith(f"{name} "):
            return float(line.rpartition(" ")[2])
    return 0.0
