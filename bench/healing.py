"""Measures `projector verify` and `projector rebuild` beside a live service: all, one entity, and many changed by hand.

`python -m bench.healing [RECORDS]`; 500,000 by default: three fifths of that are rows.
"""

import asyncio
import sys
import tempfile

from bench.commands import run
from bench.events import Mix, a_mix
from bench.publish import publish
from bench.servers import OPTIONS, Bench
from bench.service import drain
from bench.verify import verify
from neon_projector.consumer.demo.servers.postgres import embedded_postgres
from tests.support.kafka import local_kafka
from tests.support.projector import running_projector
from tests.support.world import World

OWNER = "SELECT user_id::text FROM documents LIMIT 1"
FORGE = "UPDATE users SET name = 'forged' WHERE id IN (SELECT id FROM users LIMIT $1)"
MANY = 3_000


def timed(world: World, *words: str) -> None:
    """Run a command and print its seconds from start to end, its peak memory, and what it found and healed."""
    with tempfile.TemporaryDirectory() as directory:
        ran = run(world.settings, *words, directory=directory)
    found = {name: ran.told[name] for name in ("verdict", "differing", "healed", "waited") if name in ran.told}
    print(f"{' '.join(words)}: {ran.seconds:.1f} s, {ran.peak_megabytes} MB, {found}")


async def measure(bench: Bench, mix: Mix) -> None:
    async with bench.world() as world:
        await publish(world.bootstrap, world.topics, mix.events())
        print(await drain(world, mix.total, bench.postgres.pid, bench.kafka.pid))
        print(await verify(world, mix.total, bench.postgres.pid))
        with running_projector(world.settings):
            one = await world.value(OWNER)
            await asyncio.to_thread(timed, world, "verify", "--id", one)
            await world.rows("UPDATE users SET name = 'forged' WHERE id::text = $1", one)
            await asyncio.to_thread(timed, world, "rebuild", "--id", one, "--execute", "--yes")
            await world.rows(FORGE, MANY)
            await asyncio.to_thread(timed, world, "rebuild", "--execute", "--yes")


def main() -> None:
    records = int(sys.argv[1]) if sys.argv[1:] else 500_000
    with local_kafka() as kafka, embedded_postgres(OPTIONS) as postgres:
        asyncio.run(measure(Bench(kafka, postgres), a_mix(records)))


if __name__ == "__main__":
    main()
