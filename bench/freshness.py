"""Measures how long an event takes, from the producer's clock to the return of COMMIT, at a steady rate."""

import asyncio
import sys
import time
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
from aiokafka import AIOKafkaProducer

from bench.events import Mix
from tests.support.projector import environment
from tests.support.world import World

ROOT = Path(__file__).parent.parent
BARE_COMMITS = 2_000


@dataclass(frozen=True)
class Freshness:
    """Milliseconds; `samples` after the warm-up."""

    rate: int
    samples: int
    p50: float
    p99: float
    bare_p50: float
    bare_p99: float
    """Of a transaction that inserts one row, on the same server without anything else."""


async def freshness(world: World, rate: int, warm_up: float, seconds: float, already: int = 0) -> Freshness:
    """Publish `rate` events per second, each at its time, behind `already`, and read what the service noted."""
    bare = await bare_commits(world.database_url)
    with TemporaryDirectory() as home:
        told = Path(home) / "seconds"
        settings = environment(world.settings | {"HTTP_HOST": "127.0.0.1", "HTTP_PORT": "0", "LOG_LEVEL": "warning"})
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.traced", str(told), env=settings | {"PYTHONPATH": str(ROOT)}
        )
        try:
            await _publish(world, rate, warm_up + seconds, seed=already + 1)
            await world.until_consumed(already + int(rate * (warm_up + seconds)))
        finally:
            process.terminate()
            await process.wait()
        taken = array("d", told.read_bytes())[int(rate * warm_up) :]
    p50, p99 = percentiles(taken)
    return Freshness(rate, len(taken), p50, p99, *percentiles(bare))


async def bare_commits(database_url: str) -> list[float]:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS bare (n integer)")
        taken = []
        for number in range(BARE_COMMITS):
            started = time.perf_counter()
            async with connection.transaction():
                await connection.execute("INSERT INTO bare VALUES ($1)", number)
            taken.append(time.perf_counter() - started)
        return taken
    finally:
        await connection.close()


def percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    """The median and the 99th, in milliseconds."""
    ordered = sorted(seconds)
    return ordered[len(ordered) // 2] * 1000, ordered[int(len(ordered) * 0.99)] * 1000


async def _publish(world: World, rate: int, seconds: float, seed: int) -> None:
    names = world.topics
    total = int(rate * seconds)
    producer = AIOKafkaProducer(bootstrap_servers=world.bootstrap, linger_ms=0)
    await producer.start()
    try:
        loop = asyncio.get_running_loop()
        started = loop.time()
        for number, (topic, key, value) in enumerate(interleaved(total, seed)):
            if (early := started + number / rate - loop.time()) > 0.0005:
                await asyncio.sleep(early)
            await producer.send(names[topic], key=str(key).encode(), value=value)
        await producer.flush()
    finally:
        await producer.stop()


def interleaved(total: int, seed: int) -> Iterator[tuple[str, object, bytes]]:
    """Users, their documents, and updates, a second's worth after the other."""
    left = total
    while left > 0:
        part = min(left, 1_000)
        users, documents = max(1, part // 5), 2 * part // 5
        seed += 1
        yield from Mix(users, documents, part - users - documents, seed=seed, series=f"{seed}-").events()
        left -= part
