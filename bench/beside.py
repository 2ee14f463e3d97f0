"""Measures the freshness of 1,000 events/s alone, beside `projector verify`, and beside `projector rebuild`.

`python -m bench.beside [RECORDS]`; so many are there before, 500,000 by default. The command runs again and again.
"""

import asyncio
import threading

from bench.commands import run
from bench.events import a_mix
from bench.freshness import Freshness, freshness
from bench.healing import FORGE, MANY
from bench.servers import Bench, on_own_servers
from tests.support.world import World

RATE, WARM_UP, SECONDS = 1_000, 3.0, 30.0
BESIDE: dict[str, tuple[str, ...]] = {
    "alone": (),
    "verify": ("verify",),
    "rebuild": ("rebuild", "--execute", "--yes"),
}


def again_and_again(world: World, stop: threading.Event, *words: str) -> None:
    """Run the command, and print what it took, until `stop`."""
    while words and not stop.is_set():
        if words[0] == "rebuild":
            asyncio.run(world.rows(FORGE, MANY))
        ran = run(world.settings, *words)
        print(f"  {words[0]}: {ran.seconds:.1f} s, {ran.found}", flush=True)


async def beside(world: World, already: int, *words: str) -> Freshness:
    stop = threading.Event()
    running = asyncio.create_task(asyncio.to_thread(again_and_again, world, stop, *words))
    try:
        return await freshness(world, RATE, WARM_UP, SECONDS, already)
    finally:
        stop.set()
        await running


async def measure(bench: Bench, records: int) -> None:
    mix = a_mix(records)
    async with bench.drained(mix) as (world, drained):
        print(drained, flush=True)
        already = mix.total
        for name, words in BESIDE.items():
            found = await beside(world, already, *words)
            already += int(RATE * (WARM_UP + SECONDS))
            print(f"{name}: median {found.p50:.1f} ms, 99th percentile {found.p99:.1f} ms", flush=True)


if __name__ == "__main__":
    on_own_servers(measure, 500_000)
