"""Measures `projector verify` and `projector rebuild` beside a live service: all, one entity, and many changed by hand.

`python -m bench.healing [RECORDS]`; 500,000 by default: three fifths of that are rows.
"""

import asyncio
import tempfile

from bench.commands import run
from bench.events import a_mix
from bench.servers import Bench, on_own_servers
from bench.verify import verify
from tests.support.projector import running_projector
from tests.support.world import World

OWNER = "SELECT user_id::text FROM documents LIMIT 1"
FORGE = "UPDATE users SET name = 'forged' WHERE id IN (SELECT id FROM users LIMIT $1)"
MANY = 3_000


def timed(world: World, *words: str) -> None:
    """Run a command and print its seconds from start to end, its peak memory, and what it found and healed."""
    with tempfile.TemporaryDirectory() as directory:
        ran = run(world.settings, *words, directory=directory)
    print(f"{' '.join(words)}: {ran.seconds:.1f} s, {ran.peak_megabytes} MB, {ran.found}")


async def measure(bench: Bench, records: int) -> None:
    mix = a_mix(records)
    async with bench.drained(mix) as (world, drained):
        print(drained)
        print(await verify(world, mix.total, bench.postgres.pid))
        with running_projector(world.settings):
            one = await world.value(OWNER)
            await asyncio.to_thread(timed, world, "verify", "--id", one)
            await world.rows("UPDATE users SET name = 'forged' WHERE id::text = $1", one)
            await asyncio.to_thread(timed, world, "rebuild", "--id", one, "--execute", "--yes")
            await world.rows(FORGE, MANY)
            await asyncio.to_thread(timed, world, "rebuild", "--execute", "--yes")


if __name__ == "__main__":
    on_own_servers(measure, 500_000)
