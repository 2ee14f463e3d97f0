"""Promise 5.1: a publisher's wrong clock holds no partition back for longer than a while, and is said."""

import asyncio
import json
import time

from aiokafka import AIOKafkaProducer

from tests.support.factories import a_record, a_user_event
from tests.support.projector import eventually, running_projector
from tests.support.world import World

ONE_BY_ONE = {"BATCH_MAX_EVENTS": "5", "BATCHES_AT_ONCE": "1"}
"""So that a backlog takes long."""
MINUTES_MS = 60_000
BACKLOG = 25_000


async def test_no_partition_waits_for_the_end_of_the_others_backlog(world: World) -> None:
    """One that is read to its end in an instant: a fast publisher's, and one whose records are simply of now."""
    await world.create_topics(partitions=3)
    now = int(time.time() * 1000)
    await publish_at(world, 0, BACKLOG, now - 60 * MINUTES_MS)
    await publish_at(world, 1, 20, now + 50 * MINUTES_MS)
    await publish_at(world, 2, 20, now)
    applied = "SELECT coalesce(sum(applied), 0)::int FROM projector.offsets WHERE topic LIKE '%users' AND partition"
    with running_projector(world.settings | ONE_BY_ONE) as projector:
        await world.until(f"{applied} > 0", 40, seconds=45)
        assert await world.value(f"{applied} = 0") < BACKLOG, "the test's backlog is too short"
        eventually("it is said", lambda: projector.logged().count("it goes on beside them now") == 2)
        (line,) = [json.loads(line) for line in projector.logged().splitlines() if "clock is fast" in line]
        assert (line["topic"], line["partition"]) == (world.users, 1)
        assert 45 * 60 < line["seconds"] < 50 * 60


async def publish_at(world: World, partition: int, number: int, first: int) -> None:
    """New users, a millisecond after each other."""
    producer = AIOKafkaProducer(bootstrap_servers=world.bootstrap, linger_ms=5)
    await producer.start()
    try:
        value = [a_record(a_user_event()).value for _ in range(number)]
        sent = [
            await producer.send(world.users, one, partition=partition, timestamp_ms=first + n)
            for n, one in enumerate(value)
        ]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()
