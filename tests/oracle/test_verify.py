"""`verify` finds nothing where the tables are what was received, and exactly what somebody has changed by hand."""

import random
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from asyncpg.pgproto import pgproto
from sqlalchemy import text

from neon_projector.consumer.admin.verify.expected import Folding
from neon_projector.consumer.apply.retry import NEW_FROM
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.registry import REGISTRY
from neon_projector.projections.sql.verify.tables import Scope, Side
from neon_projector.projections.state.packed import Packing
from tests.oracle.arrival import ORDERS, any_order, batches, said_twice, with_repeats
from tests.oracle.comparing import Found, compared
from tests.oracle.tampering import Tampering
from tests.oracle.test_oracle import CLEAN
from tests.oracle.upstream import Upstream
from tests.races.stepping import Writer
from tests.support.comments import TABLE, WITH_COMMENTS
from tests.support.factories import a_user_event

HISTORIES = 3
"""For each order and registry."""
CHANGES = 4


@pytest.mark.parametrize("registry", [REGISTRY, WITH_COMMENTS], ids=["users and documents", "and comments"])
@pytest.mark.parametrize("order", ORDERS)
async def test_it_finds_exactly_what_was_changed_by_hand(
    database: str, order: str, registry: Registry, tmp_path: Path
) -> None:
    connection = await asyncpg.connect(database)
    if registry is WITH_COMMENTS:
        await connection.execute(TABLE)
    for seed in range(HISTORIES):
        await one_history(connection, database, order, registry, seed, tmp_path)
    await connection.close()


async def one_history(
    connection: asyncpg.Connection, url: str, order: str, registry: Registry, seed: int, directory: Path
) -> None:
    rng, entities = random.Random(f"verify {order} {seed}"), [p.entity for p in registry]
    await connection.execute(CLEAN)
    writer = Writer(url, 0, registry, new_from=rng.choice((1, NEW_FROM)))
    upstream = Upstream(rng)
    upstream.create_user()
    events = ORDERS[order](upstream.live(rng.randint(20, 60), comments="comment" in entities), rng)
    arriving = batches(with_repeats(said_twice(events, rng), rng), rng)
    received: list[dict[str, Any]] = []
    looks = {rng.randrange(len(arriving)), rng.randrange(len(arriving)), len(arriving) - 1}
    for number, batch in enumerate(arriving):
        await writer.write(await writer.batch(batch))
        received += batch
        if number in looks:
            where = f"{order}, seed {seed}, batch {number}"
            found, _ = await compared(writer.engine, registry, received, directory)
            assert found == set(), where
    tampering = Tampering(connection, rng, entities)
    expected = set().union(*[await tampering.some() for _ in range(CHANGES)])
    found, _ = await compared(writer.engine, registry, received, directory)
    assert found == expected, where
    await writer.engine.dispose()


@pytest.mark.parametrize("entity", ["user", "document", "comment"])
async def test_a_part_is_compared_as_the_whole_is(database: str, entity: str, tmp_path: Path) -> None:
    """One entity, or some ids. Parents out of scope are taken as they are found, and are right here."""
    connection, rng = await asyncpg.connect(database), random.Random(f"part {entity}")
    await connection.execute(TABLE)
    writer = Writer(database, 0, WITH_COMMENTS)
    received = any_order(Upstream(rng).live(60, comments=True), rng)[:80]
    await writer.write(await writer.batch(received))
    tampering = Tampering(connection, rng, [entity])
    for _ in range(12):
        await tampering.some()
    all_found, _ = await compared(writer.engine, WITH_COMMENTS, received, tmp_path)
    found = {one for one in all_found if one.entity == entity}
    part, report = await compared(writer.engine, WITH_COMMENTS, received, tmp_path, Scope(frozenset({entity})))
    assert (part, len(report.rows)) == (found, 1)
    ids = frozenset(rng.sample(sorted({one.id for one in found}), len(found) // 2))
    part, _ = await compared(writer.engine, WITH_COMMENTS, received, tmp_path, Scope(ids=ids))
    assert part == {one for one in found if one.id in ids} != set()
    await writer.engine.dispose()
    await connection.close()


async def test_what_may_be_in_too_many_states_is_named(database: str, tmp_path: Path) -> None:
    writer, ada, eve = Writer(database, 0), UUID(int=1), UUID(int=2)
    received = [a_user_event(id=one, email=f"{one}@example.com") for one in (ada, eve)]
    contents = [(version, name) for version in range(2, 9) for name in "ab"]  # 2 to the power of 7
    received += [a_user_event("updated", ada, version, name=name) for version, name in contents]
    await writer.write(await writer.batch(received))
    found, report = await compared(writer.engine, REGISTRY, received, tmp_path)
    assert found == {Found("users", ada, "unprovable", "user")}
    assert (report.verdict, report.differing, report.open["disputed"]) == ("unprovable", 0, 1)
    await writer.engine.dispose()


async def test_expected_states_are_written_with_their_transaction_or_not_at_all(database: str, tmp_path: Path) -> None:
    engine, side = Writer(database, 0).engine, Side("projector.operation_7_")
    await compared(engine, REGISTRY, [], tmp_path)
    packing = Packing(REGISTRY, [("races", 0)], pgproto.UUID)
    folding = Folding(REGISTRY, packing, side)
    folding.found[0].expected.append((UUID(int=1), 1, "a@example.com", "Ada", True, None, None, 1, True, 0))
    async with engine.connect() as connection:
        await folding.write(connection)
        await connection.rollback()
        count = await connection.execute(text(f"SELECT count(*) FROM {side.of(packing.projections[0], 'expected')}"))
        assert count.scalar_one() == 0
    await engine.dispose()
