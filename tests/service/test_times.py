"""Records whose time is none or wrong, and records behind an open transaction: what is told of them is true."""

import asyncio
import json
import time
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from tests.service.test_sidecar import caught_up, samples
from tests.support.factories import a_record, a_user_event
from tests.support.projector import command, eventually, running_projector
from tests.support.world import World

HOUR_MS = 3_600_000


async def test_a_time_that_is_none_or_wrong_makes_no_absurd_lag_and_no_absurd_freshness(world: World) -> None:
    now = int(time.time() * 1000)
    times = {"none": -1, "1970": 0, "in seconds": now // 1000, "a fast clock": now + HOUR_MS * 5 // 6}
    await world.create_topics()
    with running_projector(world.settings) as projector:
        eventually("it is caught up", lambda: caught_up(projector))
        for number, (name, timestamp) in enumerate(times.items(), 1):
            async with world.locked("users"):
                await publish_at(world, timestamp)
                eventually("it waits", lambda: samples(projector)["projector_consumer_lag"][("0", world.users)] == 1)
                await asyncio.sleep(0.6)  # two beats: its age is told, and grows
                age = samples(projector)["projector_consumer_lag_seconds"][("0", world.users)]
                assert 0.2 < age < 30, name
                if name == "none":
                    (row,) = [r for r in status(world)["partitions"] if r["topic"] == world.users]
                    assert (row["lag"], row["lag_seconds"]) == (1, None)
                    assert command("status", settings=world.settings).returncode == 0
            await world.until("SELECT count(*)::int FROM users", number)
            eventually("it is caught up", lambda: caught_up(projector))
        told = samples(projector)
    assert told["projector_event_freshness_seconds_count"] == {(): 4.0}
    assert told["projector_event_freshness_seconds_sum"][()] < 60


@pytest.mark.parametrize("isolation", ["read_committed", "read_uncommitted"])
async def test_records_behind_an_open_transaction_are_told_until_it_ends(world: World, isolation: str) -> None:
    await world.create_topics()
    key = ("0", world.users)
    with running_projector(world.settings | {"KAFKA_ISOLATION_LEVEL": isolation}) as projector:
        producer = AIOKafkaProducer(bootstrap_servers=world.bootstrap, transactional_id=f"{world.users}-open")
        await producer.start()
        try:
            await producer.begin_transaction()
            await producer.send_and_wait(world.users, a_record(a_user_event()).value, partition=0)
            await world.publish_users(4)
            if isolation == "read_uncommitted":
                await world.until_consumed(5)
                eventually("it is caught up", lambda: caught_up(projector))
                assert "projector_open_transaction_records" not in samples(projector)
                return
            held = eventually("it is told", lambda: samples(projector).get("projector_open_transaction_records"))
            assert held == {key: 5.0}
            eventually("for how long", lambda: samples(projector)["projector_open_transaction_seconds"][key] > 0.4)
            (told,) = [p for p in projector.status()["partitions"] if p["topic"] == world.users]
            assert told["lag"] == 0
            assert told["open_transaction_records"] == 5
            assert 0 < told["open_transaction_seconds"] < 30
            (row,) = [r for r in status(world)["partitions"] if r["topic"] == world.users]
            assert (row["lag"], row["open_transaction_records"]) == (0, 5)
            assert 0 < row["open_transaction_seconds"] < 30
            assert f"{world.users}:0: 5 records wait behind an open transaction" in shown(world)
            await producer.commit_transaction()
        finally:
            await producer.stop()
        await world.until_consumed(6)
        eventually("no more is told", lambda: "projector_open_transaction_records" not in samples(projector))
        assert "projector_open_transaction_seconds" not in samples(projector)
        assert "open transaction" not in shown(world)


async def test_the_lag_is_told_to_who_reads_what_is_not_committed(world: World) -> None:
    await world.create_topics()
    with running_projector(world.settings | {"KAFKA_ISOLATION_LEVEL": "read_uncommitted"}) as projector:
        eventually("it is caught up", lambda: caught_up(projector))
        async with world.locked("users"):
            await world.publish_users(3)
            eventually("there is a lag", lambda: samples(projector)["projector_consumer_lag"][("0", world.users)] == 3)
        eventually("it is caught up", lambda: caught_up(projector))


async def publish_at(world: World, timestamp: int) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=world.bootstrap)
    await producer.start()
    try:
        await producer.send_and_wait(
            world.users, a_record(a_user_event()).value, partition=0,
            timestamp_ms=timestamp,
        )  # fmt: skip
    finally:
        await producer.stop()


def status(world: World) -> dict[str, list[dict[str, Any]]]:
    told: dict[str, list[dict[str, Any]]] = json.loads(command("status", "--json", settings=world.settings).stdout)
    return told


def shown(world: World) -> str:
    return command("status", settings=world.settings).stdout
