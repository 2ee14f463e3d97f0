"""Promise 5.5: what the service holds is bounded by settings, whatever the backlog and the size of the values."""

import asyncio
from pathlib import Path
from uuid import uuid4

from tests.support.factories import a_document_event, a_record, a_user_event
from tests.support.projector import eventually, running_projector
from tests.support.raw_kafka import a_batch, raw, raw_producer
from tests.support.world import World

BOUND_MB = 230
BACKLOG = 400
"""Documents of nearly 1 MB each: far more than the bound."""
BOUND_MB_MANY = 270
"""With 256 partitions."""
LARGE_HEADERS = 8_000
"""Records with a header of 40 kB."""
MANY_HEADERS = 24
"""Records with 100,000 headers, each of a few bytes: 0.8 MB in Kafka, 20 MB as objects of Python."""
MANY = 100_000
"""Documents of 1 kB: 140 MB of values, three times as much decoded."""


async def test_promise_5_5_a_backlog_of_large_values_is_held_in_little_memory(world: World) -> None:
    await world.create_topics(partitions=4)
    owner = a_user_event()
    await world.publish([a_record(owner)])
    for _ in range(BACKLOG // 50):
        event = a_document_event(owner=owner["data"]["id"], content="x" * 950_000)
        large = [a_record(event | {"data": event["data"] | {"id": i}}, key=None) for i in ids(50)]
        await world.publish(large, max_request_size=8 * 1024 * 1024)
    with running_projector(world.settings, afresh=True) as projector:
        eventually("it has joined", lambda: projector.get("/health/ready")[0] == 200)
        async with world.locked("documents"):
            await asyncio.sleep(3)  # it can write nothing, and could read everything meanwhile
        await world.until_consumed(BACKLOG + 1, seconds=60)
        peak = peak_megabytes(projector.process.pid)
        assert projector.terminate() == 0
    assert peak < BOUND_MB, f"{peak} MB"
    assert await world.value("SELECT count(*)::int FROM documents") == BACKLOG


async def test_promise_5_5_a_backlog_in_many_partitions_is_held_in_little_memory(world: World) -> None:
    await world.create_topics(partitions=128)
    owner = a_user_event()
    event = a_document_event(owner=owner["data"]["id"], content="x" * 1_000)
    await world.publish([a_record(owner)])
    small = [a_record(event | {"data": event["data"] | {"id": i}}, key=None) for i in ids(MANY)]
    await world.publish(small)
    with running_projector(world.settings, afresh=True) as projector:
        await world.until_consumed(MANY + 1, seconds=60)
        peak = peak_megabytes(projector.process.pid)
        assert projector.terminate() == 0
    assert peak < BOUND_MB_MANY, f"{peak} MB"
    assert await world.value("SELECT count(*)::int FROM documents") == MANY


async def test_promise_5_5_a_backlog_of_large_and_many_headers_is_held_in_little_memory(world: World) -> None:
    await world.create_topics(partitions=4)
    large, many = (("trace", b"x" * 40_000),), [(b"a%d" % number, b"") for number in range(100_000)]
    await world.publish([a_record(a_user_event(), headers=large) for _ in range(LARGE_HEADERS)], max_batch_size=500_000)
    async with raw_producer(world.bootstrap, users=world.users) as producer:
        for number in range(MANY_HEADERS):
            await producer.send("users", a_batch([raw(a_record(a_user_event()), *many)]), number % 4)
    records = LARGE_HEADERS + MANY_HEADERS
    with running_projector(world.settings, afresh=True) as projector:
        eventually("it has joined", lambda: projector.get("/health/ready")[0] == 200)
        async with world.locked("users"):
            await asyncio.sleep(3)  # it can write nothing, and could read everything meanwhile
        await world.until_consumed(records, seconds=60)
        peak = peak_megabytes(projector.process.pid)
        assert projector.terminate() == 0
    assert peak < BOUND_MB, f"{peak} MB"
    assert await world.value("SELECT count(*)::int FROM users") == records


def peak_megabytes(pid: int) -> int:
    """VmHWM: the most that was resident at once."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) // 1024


def ids(number: int) -> list[str]:
    return [str(uuid4()) for _ in range(number)]
