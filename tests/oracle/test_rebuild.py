"""Any history, any tampering with any of the tables: `rebuild`, then the tables are the definition again."""

import os
import random
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.registry import REGISTRY
from tests.oracle.arrival import ORDERS, batches, with_repeats
from tests.oracle.comparing import compared
from tests.oracle.definition import define
from tests.oracle.rebuilding import rebuilt
from tests.oracle.tampering import Tampering
from tests.oracle.test_oracle import CLEAN, compare
from tests.oracle.upstream import Upstream
from tests.races.stepping import Writer
from tests.support.comments import TABLE, WITH_COMMENTS

HISTORIES = int(os.environ.get("ORACLE_HISTORIES", "1"))
"""For each order and registry."""
CHANGES = 6


@pytest.mark.parametrize(
    ("order", "registry"), [*((order, WITH_COMMENTS) for order in ORDERS), ("any order", REGISTRY)]
)
async def test_whatever_was_changed_by_hand_it_is_the_definition_again(
    database: str, order: str, registry: Registry, tmp_path: Path
) -> None:
    connection = await asyncpg.connect(database)
    if registry is WITH_COMMENTS:
        await connection.execute(TABLE)
    writer = Writer(database, 0, registry)
    for seed in range(HISTORIES):
        await one_history(connection, writer, order, registry, seed, tmp_path)
    await writer.engine.dispose()
    await connection.close()


async def one_history(
    connection: asyncpg.Connection, writer: Writer, order: str, registry: Registry, seed: int, directory: Path
) -> None:
    rng, entities = random.Random(f"rebuild {order} {seed}"), [p.entity for p in registry]
    await connection.execute(CLEAN)
    upstream = Upstream(rng)
    upstream.create_user()
    events = ORDERS[order](upstream.live(rng.randint(20, 60), comments="comment" in entities), rng)
    arriving = batches(with_repeats(events, rng), rng)
    received: list[dict[str, Any]] = []
    until = rng.randrange(len(arriving))
    for batch in arriving[: until + 1]:
        await writer.write(await writer.batch(batch))
        received += batch
    tampering = Tampering(connection, rng, entities)
    tampered = [await tampering.some() for _ in range(CHANGES)]
    where = f"{order}, seed {seed}: {tampered}"
    try:
        await rebuilt(writer.engine, registry, received, directory)
    except Exception as error:
        error.add_note(where)
        raise
    found, _ = await compared(writer.engine, registry, received, directory)
    assert found == set(), where
    await compare(connection, entities, define(received), where)
    for batch in arriving[until + 1 :]:
        await writer.write(await writer.batch(batch))
        received += batch
    await compare(connection, entities, define(received), f"{where}, at the end")
