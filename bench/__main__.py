"""`make bench`: measures the service beside the limit, interleaved, and writes `bench/RESULTS.md` with a plot.

`python -m bench [RUNS] [EVENTS]`; 3 and 500,000 by default.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import asyncpg

from bench.check import differences
from bench.events import Mix
from bench.fill import fill
from bench.freshness import Freshness, freshness
from bench.limit import Limit, limit
from bench.publish import publish
from bench.report import write_report
from bench.service import Drain, drain
from consumer.demo.postgres import EmbeddedPostgres, embedded_postgres
from tests.support.kafka import LocalKafka, local_kafka
from tests.support.neon_proxy import neon_proxy
from tests.support.servers import migrate_database
from tests.support.world import World

OPTIONS = ("fsync=on", "shared_buffers=256MB", "max_wal_size=2GB")
ROUND_TRIPS_MS = (0, 5, 20, 50)
FEWER = 100_000
"""Events of the drains for which the rows before or the partitions make the difference."""
LARGE = Mix(users=8, documents=400, updates=0, content="x" * 950_000)
"""Nearly the largest values that there may be, 380 MB of them."""
SMALL = Mix(users=1_000, documents=100_000, updates=0, content="x" * 1_000)
ROWS_BEFORE = (99_999, 999_999, 4_999_998)
_numbers = count()


@dataclass
class Results:
    """All that was measured."""

    events: int
    fewer: int = FEWER
    limit: list[Limit] = field(default_factory=list)
    limit_of_two: list[Limit] = field(default_factory=list)
    """Over two connections: no goal, but what two cores can do."""
    whole: list[Drain] = field(default_factory=list)
    partial: list[Drain] = field(default_factory=list)
    far: dict[int, Drain] = field(default_factory=dict)
    """By milliseconds of round trip."""
    partitions: dict[int, Drain] = field(default_factory=dict)
    large: list[Drain] = field(default_factory=list)
    """Values of nearly 1 MB in 8 partitions."""
    small: list[Drain] = field(default_factory=list)
    """Values of 1 kB in 256 partitions."""
    filled: dict[int, Drain] = field(default_factory=dict)
    """By the number of rows that are in the tables before."""
    fresh: list[Freshness] = field(default_factory=list)


@dataclass(frozen=True)
class Bench:
    """The servers that everything is measured on."""

    kafka: LocalKafka
    postgres: EmbeddedPostgres

    @asynccontextmanager
    async def world(self, partitions: int = 4) -> AsyncIterator[World]:
        """A database and topics of its own."""
        name = f"bench_{next(_numbers)}"
        await self._execute(f"CREATE DATABASE {name}")
        world = World(self.kafka.bootstrap, self.postgres.database_url(name), f"{name}-users", f"{name}-documents")
        await migrate_database(world.database_url)
        await world.create_topics(partitions)
        yield world
        await self._execute(f"DROP DATABASE {name} (FORCE)")

    async def limit(self, mix: Mix, connections: int = 1) -> Limit:
        async with self.world() as world:
            told = await limit(world.database_url, self.postgres.pid, mix, connections)
            assert await differences(world.database_url, mix.truth) == 0
        return told

    async def drain(
        self, mix: Mix, partitions: int = 4, round_trip_ms: int | None = None, rows_before: int = 0
    ) -> Drain:
        async with self.world(partitions) as world:
            await fill(world.database_url, rows_before)
            await publish(world.bootstrap, {"users": world.users, "documents": world.documents}, mix.events())
            await self._execute("CHECKPOINT")
            servers = (self.postgres.pid, self.kafka.pid)
            if round_trip_ms is None:
                told = await drain(world, mix.total, *servers)
            else:
                async with neon_proxy(self.postgres.port) as proxy:
                    proxy.round_trip_seconds = round_trip_ms / 1000
                    url = proxy.url(world.database_url.rpartition("/")[2])
                    told = await drain(world, mix.total, *servers, settings={"NEON_DATABASE_URL": url})
            assert await differences(world.database_url, mix.truth) == rows_before, "the tables are wrong"
        return told

    async def freshness(self, rate: int, warm_up: float, seconds: float) -> Freshness:
        """With nothing left to write of what was measured before."""
        async with self.world() as world:
            await self._execute("CHECKPOINT")
            return await freshness(world, rate, warm_up, seconds)

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.postgres.url)
        await connection.execute(statement)
        await connection.close()


def a_mix(events: int, partial: float = 0.0) -> Mix:
    return Mix(events // 5, 2 * events // 5, 2 * events // 5, partial=partial)


async def measure(bench: Bench, runs: int, events: int) -> Results:
    results = Results(events)
    for number in range(runs):
        results.limit.append(await bench.limit(a_mix(events)))
        results.limit_of_two.append(await bench.limit(a_mix(events), connections=2))
        results.whole.append(await bench.drain(a_mix(events)))
        results.partial.append(await bench.drain(a_mix(events, partial=0.5)))
        most, told = results.limit[-1].rate, results.whole[-1]
        print(f"run {number + 1}: limit {most:,.0f}/s, service {told.rate:,.0f}/s, {told.service:.1f} µs")
    for rate, warm_up, seconds in ((1_000, 30.0, 60.0), (10, 5.0, 180.0)):
        results.fresh.append(await bench.freshness(rate, warm_up, seconds))
        print(results.fresh[-1])
    for milliseconds in ROUND_TRIPS_MS:
        results.far[milliseconds] = await bench.drain(a_mix(events), round_trip_ms=milliseconds)
        print(f"{milliseconds} ms away: {results.far[milliseconds].rate:,.0f}/s")
    for partitions in (4, 32, 128):
        results.partitions[2 * partitions] = await bench.drain(a_mix(FEWER), partitions)
    for _ in range(runs):
        results.large.append(await bench.drain(LARGE))
        results.small.append(await bench.drain(SMALL, partitions=128))
    for rows in ROWS_BEFORE:
        results.filled[rows] = await bench.drain(a_mix(FEWER), rows_before=rows)
        print(f"{rows:,} rows before: {results.filled[rows].rate:,.0f}/s")
    return results


def main() -> None:
    runs, events = (int(given) if given else default for given, default in zip(
        (*sys.argv[1:], "", "")[:2], (3, 500_000), strict=True
    ))  # fmt: skip
    with local_kafka() as kafka, embedded_postgres(OPTIONS) as postgres:
        results = asyncio.run(measure(Bench(kafka, postgres), runs, events))
    write_report(results, Path(__file__).parent)


if __name__ == "__main__":
    main()
