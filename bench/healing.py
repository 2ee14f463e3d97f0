"""Measures `projector verify` and `projector rebuild` beside a live service: all, one entity, and many changed by hand.

`python -m bench.healing [ROWS]`; 300,000 by default, of twice as many records. `bench.curve` does it by size.
"""

import asyncio
import tempfile
from dataclasses import dataclass
from typing import NamedTuple

from bench.commands import Ran, run
from bench.events import Mix
from bench.servers import Bench, on_own_servers
from bench.service import Drain
from bench.verify import Verified, verify
from tests.support.projector import running_projector
from tests.support.world import World

DOCUMENT = "SELECT id::text FROM documents LIMIT 1"
OWNER = "SELECT user_id::text FROM documents LIMIT 1"
FORGE_TITLE = "UPDATE documents SET title = 'forged' WHERE id::text = $1"
FORGE_NAME = "UPDATE users SET name = 'forged' WHERE id::text = $1"
FORGE = "UPDATE users SET name = 'forged' WHERE id IN (SELECT id FROM users LIMIT $1)"
MANY = 3_000


class HealedOne(NamedTuple):
    """`verify` of what was changed by hand, and `rebuild`."""

    verify: Ran
    rebuild: Ran


@dataclass(frozen=True)
class Healed:
    """One size: the drain, `verify` of all of it, then a document, a user with documents (`by_key`: its `verify` with
    that), and `rebuild` of MANY."""

    rows: int
    records: int
    drained: Drain
    verified: Verified
    document: HealedOne
    user: HealedOne
    by_key: Ran
    many: Ran


async def measure(bench: Bench, rows: int) -> Healed:
    """A third of the rows are users; half of the records are updates."""
    mix = Mix(users=rows // 3, documents=rows - rows // 3, updates=rows)
    async with bench.drained(mix) as (world, drained):
        mix.truth.clear()
        verified = await verify(world, mix.total, bench.postgres.pid)
        with running_projector(world.settings):
            document = await _one(world, await world.value(DOCUMENT), FORGE_TITLE)
            owner = await world.value(OWNER)
            user = await _one(world, owner, FORGE_NAME)
            by_key = await _timed(world, "verify", "--id", owner, "--by-key")
            await world.rows(FORGE, MANY)
            many = await _timed(world, "rebuild", "--execute", "--yes")
    assert many.told["healed"] == min(MANY, mix.users)
    return Healed(rows, mix.total, drained, verified, document, user, by_key, many)


async def _one(world: World, entity_id: str, forge: str) -> HealedOne:
    await world.rows(forge, entity_id)
    verified = await _timed(world, "verify", "--id", entity_id)
    rebuilt = await _timed(world, "rebuild", "--id", entity_id, "--execute", "--yes")
    assert (verified.told["differing"], rebuilt.told["healed"]) == (1, 1)
    return HealedOne(verified, rebuilt)


async def _timed(world: World, *words: str) -> Ran:
    """Run a command; an undo file that it makes goes with its directory."""
    with tempfile.TemporaryDirectory() as directory:
        ran = await asyncio.to_thread(run, world.settings, *words, directory=directory)
    print(f"{' '.join(words)}: {ran.seconds:.1f} s, {ran.peak_megabytes} MB, {ran.found}", flush=True)
    return ran


async def _print(bench: Bench, rows: int) -> None:
    healed = await measure(bench, rows)
    print(healed.drained)
    print(healed.verified)


if __name__ == "__main__":
    on_own_servers(_print, 300_000)
