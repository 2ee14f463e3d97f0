"""Measures a program without positions in Postgres: it is done when each partition's last event is in the tables."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer

from bench.processes import cpu_seconds, family, peak_megabytes
from tests.support.world import World

DONE = """
SELECT (SELECT count(*) FROM users JOIN unnest($1::uuid[], $2::bigint[]) AS l(i, v) ON id = i AND version >= v)
    + (SELECT count(*) FROM documents JOIN unnest($1::uuid[], $2::bigint[]) AS l(i, v) ON id = i AND version >= v)
"""
APPLIED = "SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM documents)"
"""At the first look: the first events are of new rows only."""
SECONDS = 900


@dataclass(frozen=True)
class Measured:
    """One drain, between first and last commit: events/s, µs of CPU per event, memory."""

    rate: float
    program: float
    postgres: float
    kafka: float
    peak_megabytes: float


@dataclass(frozen=True)
class Watch:
    """What is watched: `program`, beside the servers' process ids."""

    program: int
    postgres: int
    kafka: int
    failed: Callable[[], Awaitable[str | None]]
    """What the program says of a failure, where it has failed."""

    async def drain(self, world: World, events: int) -> Measured:
        """Until `events`, which are published and of which none is applied yet, are applied."""
        last = await last_events(world)
        connection = await asyncpg.connect(world.database_url)
        try:
            async with asyncio.timeout(SECONDS):
                while (done := await connection.fetchval(APPLIED)) == 0:
                    await self._pause(0.005)
                started, before = time.monotonic(), self._used()
                while await connection.fetchval(DONE, *zip(*last, strict=True)) < len(last):
                    await self._pause(0.05)
                seconds, after = time.monotonic() - started, self._used()
        finally:
            await connection.close()
        program, postgres, kafka = ((b - a) / (events - done) * 1e6 for a, b in zip(before, after, strict=True))
        return Measured((events - done) / seconds, program, postgres, kafka, peak_megabytes(self.program))

    def _used(self) -> tuple[float, ...]:
        return tuple(cpu_seconds(pids) for pids in ([self.program], family(self.postgres), family(self.kafka)))

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if said := await self.failed():
            raise RuntimeError(said)


async def last_events(world: World) -> list[tuple[UUID, int]]:
    """Id and version of the last event of each partition that has any."""
    topics = (world.users, world.documents)
    async with AIOKafkaConsumer(*topics, bootstrap_servers=world.bootstrap) as client:
        ends = {partition: end for partition, end in (await client.end_offsets(client.assignment())).items() if end}
        for partition, end in ends.items():
            client.seek(partition, end - 1)
        values = [orjson.loads((await client.getone(partition)).value) for partition in ends]
    rows = [value.get("data", value) for value in values]
    return [(UUID(row["id"]), row["version"]) for row in rows]
