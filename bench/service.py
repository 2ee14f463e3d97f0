"""Measures the service: a backlog drained, with what each process used; and freshness at a steady rate."""

import asyncio
import time
from dataclasses import dataclass

import asyncpg

from bench.processes import cpu_seconds, family, peak_megabytes
from tests.support.projector import running_projector
from tests.support.world import World

CONSUMED = "SELECT coalesce(sum(next_offset), 0)::int FROM projector.offsets"


@dataclass(frozen=True)
class Drain:
    """One drain: `rate` in events/s, the rest in µs of CPU per event, between first and last commit."""

    rate: float
    service: float
    postgres: float
    kafka: float
    peak_megabytes: float
    first_applied_seconds: float
    """From process start to the first commit."""
    parked: int


async def drain(world: World, events: int, postgres: int, kafka: int, settings: dict[str, str] | None = None) -> Drain:
    """Drain `events` that are published; `postgres` and `kafka` are the servers' process ids.

    How far it is, is asked over one connection: a new one each time costs the server more than many events.
    """
    watching = await asyncpg.connect(world.database_url)
    began = time.monotonic()
    with running_projector(world.settings | (settings or {}), afresh=True) as projector:
        own = projector.process.pid

        def used() -> tuple[float, ...]:
            return tuple(cpu_seconds(pids) for pids in ([own], family(postgres), family(kafka)))

        while (done := await watching.fetchval(CONSUMED)) == 0:
            await asyncio.sleep(0.005)
        started, before = time.monotonic(), used()
        while await watching.fetchval(CONSUMED) < events:
            await asyncio.sleep(0.05)
        seconds, after = time.monotonic() - started, used()
        peak = peak_megabytes(own)
        await watching.close()
        assert await asyncio.to_thread(projector.terminate) == 0  # the proxy between is served by this loop
    service, database, broker = ((b - a) / (events - done) * 1e6 for a, b in zip(before, after, strict=True))
    parked = (await world.totals())["parked"]
    return Drain((events - done) / seconds, service, database, broker, peak, started - began, parked)
