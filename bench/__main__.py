"""`make bench`: drains 500,000 events from a real Kafka into a real Postgres and prints the rate."""

import asyncio
import os
import sys
import time
from pathlib import Path

from bench.check import differences
from bench.events import Mix
from bench.publish import publish
from consumer.demo.postgres import embedded_postgres
from tests.support.kafka import local_kafka
from tests.support.projector import Projector, running_projector
from tests.support.servers import migrate_database
from tests.support.world import World

OPTIONS = ("fsync=on", "shared_buffers=256MB", "max_wal_size=2GB")
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


async def drain(world: World, mix: Mix) -> tuple[float, float]:
    """Seconds from first to last commit, and the service's CPU seconds between."""
    with running_projector(world.settings) as projector:
        while await world.value("SELECT coalesce(sum(next_offset), 0)::int FROM projector.offsets") == 0:
            await asyncio.sleep(0.01)
        done = await world.value("SELECT coalesce(sum(next_offset), 0)::int FROM projector.offsets")
        started, cpu = time.monotonic(), cpu_seconds(projector)
        while await world.value("SELECT sum(next_offset)::int FROM projector.offsets") < mix.total:
            await asyncio.sleep(0.05)
        seconds, cpu = time.monotonic() - started, cpu_seconds(projector) - cpu
        projector.terminate()
    part = (mix.total - done) / mix.total
    return seconds / part, cpu / part


def cpu_seconds(projector: Projector) -> float:
    fields = Path(f"/proc/{projector.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


async def main(events: int) -> int:
    mix = Mix(events // 5, 2 * events // 5, 2 * events // 5)
    with local_kafka() as kafka, embedded_postgres(OPTIONS) as postgres:
        world = World(kafka.bootstrap, postgres.url, "users", "documents")
        await migrate_database(world.database_url)
        await world.create_topics(partitions=4)
        started = time.monotonic()
        await publish(world.bootstrap, {"users": "users", "documents": "documents"}, mix.events())
        print(f"published {mix.total:,} events in {time.monotonic() - started:.1f} s")
        seconds, cpu = await drain(world, mix)
        wrong = await differences(world.database_url, mix.truth)
        print(f"drained: {mix.total / seconds:,.0f} events/s, {cpu / mix.total * 1e6:.1f} µs of CPU per event")
        print(f"totals: {await world.totals()}")
        print(f"rows that differ from the publisher's own truth: {wrong}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 500_000)))
