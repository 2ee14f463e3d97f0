"""Measures the freshness of 1,000 events/s alone, beside `projector verify`, and beside `projector rebuild`.

`python -m bench.beside [RECORDS]`; so many are there before, 500,000 by default. The command runs again and again.
"""

import asyncio
import sys
import threading

from bench.commands import run
from bench.events import Mix, a_mix
from bench.freshness import Freshness, freshness
from bench.publish import publish
from bench.servers import OPTIONS, Bench
from bench.service import drain
from neon_projector.consumer.demo.servers.postgres import embedded_postgres
from tests.support.kafka import local_kafka
from tests.support.world import World

RATE, WARM_UP, SECONDS = 1_000, 3.0, 30.0
FORGE = "UPDATE users SET name = 'forged' WHERE id IN (SELECT id FROM users LIMIT 3000)"
BESIDE: dict[str, tuple[str, ...]] = {
    "alone": (),
    "verify": ("verify",),
    "rebuild": ("rebuild", "--execute", "--yes"),
}


def again_and_again(world: World, stop: threading.Event, *words: str) -> None:
    """Run the command, and print what it took, until `stop`."""
    while words and not stop.is_set():
        if words[0] == "rebuild":
            asyncio.run(world.rows(FORGE))
        ran = run(world.settings, *words)
        found = {name: ran.told[name] for name in ("verdict", "healed", "waited") if name in ran.told}
        print(f"  {words[0]}: {ran.seconds:.1f} s, {found}", flush=True)


async def beside(world: World, already: int, *words: str) -> Freshness:
    stop = threading.Event()
    running = asyncio.create_task(asyncio.to_thread(again_and_again, world, stop, *words))
    try:
        return await freshness(world, RATE, WARM_UP, SECONDS, already)
    finally:
        stop.set()
        await running


async def measure(bench: Bench, mix: Mix) -> None:
    async with bench.world() as world:
        await publish(world.bootstrap, world.topics, mix.events())
        print(await drain(world, mix.total, bench.postgres.pid, bench.kafka.pid), flush=True)
        already = mix.total
        for name, words in BESIDE.items():
            found = await beside(world, already, *words)
            already += int(RATE * (WARM_UP + SECONDS))
            print(f"{name}: median {found.p50:.1f} ms, 99th percentile {found.p99:.1f} ms", flush=True)


def main() -> None:
    records = int(sys.argv[1]) if sys.argv[1:] else 500_000
    with local_kafka() as kafka, embedded_postgres(OPTIONS) as postgres:
        asyncio.run(measure(Bench(kafka, postgres), a_mix(records)))


if __name__ == "__main__":
    main()
