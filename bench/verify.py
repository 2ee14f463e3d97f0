"""Measures `projector verify` beside the drain that filled the tables, on the same machine in the same run.

`python -m bench.verify [RECORDS]`; 500,000 by default: three fifths of that are rows.
"""

import asyncio
from dataclasses import dataclass

from bench.commands import run
from bench.events import a_mix
from bench.processes import cpu_seconds, family
from bench.servers import Bench, on_own_servers
from bench.service import Drain
from tests.support.world import World


@dataclass(frozen=True)
class Verified:
    """One `verify`: records per second from the command's start to its end, and of its own work alone; µs of CPU per
    record; megabytes."""

    rate: float
    rate_of_work: float
    own: float
    postgres: float
    peak_megabytes: int


async def verify(world: World, records: int, postgres: int) -> Verified:
    """Run it once; AssertionError where it finds a difference."""
    before = cpu_seconds(family(postgres))
    ran = await asyncio.to_thread(run, world.settings, "verify")
    after = cpu_seconds(family(postgres))
    assert ran.told["verdict"] == "equal", ran.told
    own = await world.value("SELECT extract(epoch FROM finished_at - started_at)::float8 FROM projector.operations")
    return Verified(
        records / ran.seconds,
        records / own,
        ran.cpu / records * 1e6,
        (after - before) / records * 1e6,
        ran.peak_megabytes,
    )


async def measure(bench: Bench, records: int) -> tuple[Drain, Verified]:
    mix = a_mix(records)
    async with bench.drained(mix) as (world, drained):
        return drained, await verify(world, mix.total, bench.postgres.pid)


def main() -> None:
    drained, verified = on_own_servers(measure, 500_000)
    print(drained)
    print(verified)
    print(
        f"{verified.rate / drained.rate:.2f} of the drain, {verified.rate_of_work / drained.rate:.2f} by its work alone"
    )


if __name__ == "__main__":
    main()
