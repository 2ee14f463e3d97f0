"""The servers that everything is measured on, and what is measured on them."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple, TypeVar

import asyncpg

from bench.check import differences
from bench.events import Mix
from bench.fill import fill
from bench.freshness import Freshness, freshness
from bench.limit import Limit, limit
from bench.publish import publish
from bench.service import Drain, drain
from neon_projector.consumer.demo.servers.postgres import EmbeddedPostgres, embedded_postgres
from tests.support.kafka import LocalKafka, local_kafka
from tests.support.neon_proxy import neon_proxy
from tests.support.servers import migrate_database
from tests.support.world import World

T = TypeVar("T")

OPTIONS = ("fsync=on", "shared_buffers=256MB", "max_wal_size=2GB")
_numbers = count()


class Backlog(NamedTuple):
    """A mix that is published, and the prefix of its topics' names."""

    topics: str
    mix: Mix


@dataclass(frozen=True)
class Bench:
    """Kafka and Postgres; each measurement has a database of its own."""

    kafka: LocalKafka
    postgres: EmbeddedPostgres
    _backlogs: dict[str, Backlog] = field(default_factory=dict)

    @asynccontextmanager
    async def world(self, partitions: int = 4) -> AsyncIterator[World]:
        """A database and topics of its own."""
        name = f"bench_{next(_numbers)}"
        async with self._database(name) as world:
            await world.create_topics(partitions)
            yield world

    @asynccontextmanager
    async def _database(self, topics: str) -> AsyncIterator[World]:
        """A database of its own, for topics that may be there."""
        name = f"bench_{next(_numbers)}"
        await self._execute(f"CREATE DATABASE {name}")
        world = World(self.kafka.bootstrap, self.postgres.database_url(name), f"{topics}-users", f"{topics}-documents")
        await migrate_database(world.database_url)
        yield world
        await self._execute(f"DROP DATABASE {name} (FORCE)")

    @asynccontextmanager
    async def drained(self, mix: Mix) -> AsyncIterator[tuple[World, Drain]]:
        """A world where the service has applied `mix`, and has ended."""
        async with self.world() as world:
            await publish(world.bootstrap, world.topics, mix.events())
            yield world, await drain(world, mix.total, self.postgres.pid, self.kafka.pid)

    async def limit(self, mix: Mix, connections: int = 1) -> Limit:
        async with self.world() as world:
            told = await limit(world.database_url, self.postgres.pid, mix, connections)
            assert await differences(world.database_url, mix.truth) == 0
        return told

    async def drain(
        self, mix: Mix, partitions: int = 4, round_trip_ms: int | None = None, rows_before: int = 0
    ) -> Drain:
        """By the service, of a backlog that is published when it is first asked for."""
        topics, mix = await self._published(mix, partitions)
        async with self._database(topics) as world:
            await fill(world.database_url, rows_before)
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

    async def _published(self, mix: Mix, partitions: int) -> Backlog:
        key = f"{partitions} {mix.total} {mix.users} {mix.updates} {mix.partial} {len(mix.content)}"
        if key not in self._backlogs:
            async with self.world(partitions) as world:
                await publish(world.bootstrap, world.topics, mix.events())
            self._backlogs[key] = Backlog(world.users.removesuffix("-users"), mix)
        return self._backlogs[key]

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.postgres.url)
        await connection.execute(statement)
        await connection.close()


def on_own_servers(measure: Callable[..., Coroutine[Any, Any, T]], *numbers: int) -> T:
    """What `measure` returns of a Bench, and of the numbers of the command line; `numbers` where it gives none."""
    given = (*sys.argv[1:], *[""] * len(numbers))
    asked = [int(one or default) for one, default in zip(given, numbers, strict=False)]
    with local_kafka(jvm=()) as kafka, embedded_postgres(OPTIONS) as postgres:
        return asyncio.run(measure(Bench(kafka, postgres), *asked))
