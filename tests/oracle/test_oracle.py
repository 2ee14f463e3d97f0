"""After every transaction the tables are what the definition says, over the events consumed so far, in any order."""

import os
import random
from collections import defaultdict
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from neon_projector.consumer.apply.retry import NEW_FROM
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.registry import REGISTRY
from tests.oracle.arrival import ORDERS, batches, with_repeats
from tests.oracle.definition import PARENTS, Defined, define
from tests.oracle.upstream import Upstream
from tests.races.stepping import Writer
from tests.support.comments import TABLE, WITH_COMMENTS

HISTORIES = int(os.environ.get("ORACLE_HISTORIES", "30"))
"""For each order and registry."""
TABLES = {"user": "users", "document": "documents", "comment": "comments"}
CLEAN = (
    "TRUNCATE users, documents, projector.absent_states, projector.parked_events, projector.dead_letters, "
    "projector.offsets CASCADE"
)


@pytest.mark.parametrize("registry", [REGISTRY, WITH_COMMENTS], ids=["users and documents", "and comments"])
@pytest.mark.parametrize("order", ORDERS)
async def test_the_tables_are_the_definition_after_every_transaction(
    database: str, order: str, registry: Registry
) -> None:
    connection = await asyncpg.connect(database)
    if registry is WITH_COMMENTS:
        await connection.execute(TABLE)
    for seed in range(HISTORIES):
        await one_history(connection, database, order, registry, seed)
    await connection.close()


async def one_history(
    connection: asyncpg.Connection, url: str, order: str, registry: Registry, seed: int | str
) -> None:
    """Write one history by `url` into emptied tables; `connection` looks at them after every transaction."""
    entities = [projection.entity for projection in registry]
    rng = random.Random(f"{order} {seed}")
    await connection.execute(CLEAN)
    writers = [
        Writer(url, partition, registry, new_from=rng.choice((1, NEW_FROM))) for partition in range(rng.randint(1, 6))
    ]
    upstream = Upstream(rng)
    events = ORDERS[order](upstream.live(rng.randint(20, 60), comments="comment" in entities), rng)
    received: list[dict[str, Any]] = []
    for number, batch in enumerate(batches(with_repeats(events, rng), rng)):
        where = f"{order}, seed {seed}, batch {number}"
        writer = rng.choice(writers)  # one key's events come in several partitions
        await writer.write(await writer.batch(batch))
        received += batch
        await compare(connection, entities, define(received), where)
    await at_the_end(connection, entities, upstream, len(received), f"{order}, seed {seed}")
    for writer in writers:
        await writer.engine.dispose()


async def compare(connection: asyncpg.Connection, entities: list[str], defined: Defined, where: str) -> None:
    aside = defaultdict(set)
    for row in await connection.fetch("SELECT entity, id, reason FROM projector.absent_states"):
        aside[row["reason"]].add((row["entity"], row["id"]))
    contested = {i for _, i in aside["contested"]}
    if contested:
        claims = [s[1]["email"] for (e, _), s in defined.states.items() if e == "user" and s[1] is not None]
        assert len(set(claims)) < len(claims), f"{where}: {contested} contested, but no two claim one address"
    assert aside["deleted"] == defined.deleted(), f"{where}: tombstones"
    waits = aside["no_parent"] | aside["parent_deleted"]
    for entity in entities:
        left_out = {i for e, i in defined.states if e == entity and touches(defined, (e, i), contested)}
        shown = {i: s for i, s in defined.shown(entity).items() if i not in left_out}
        found = {i: s for i, s in (await rows(connection, entity)).items() if i not in left_out}
        assert found.keys() == shown.keys(), f"{where}: {entity}s shown"
        for i, (version, state) in shown.items():
            assert found[i] == (version, plain(state)), f"{where}: {entity} {i}"
        assert {i for e, i in waits if e == entity} - left_out == defined.aside(entity) - left_out, (
            f"{where}: {entity}s"
        )
    parked = await connection.fetch("SELECT entity_id, version FROM projector.parked_events")
    assert {tuple(row) for row in parked} == defined.waiting, f"{where}: parked events"
    assert await connection.fetchval("SELECT count(*) FROM projector.dead_letters") == 0, where


async def at_the_end(
    connection: asyncpg.Connection, entities: list[str], upstream: Upstream, received: int, where: str
) -> None:
    """The upstream's own truth; nothing waits but what belongs to deleted parents; every record is accounted for."""
    assert await connection.fetchval("SELECT count(*) FROM projector.parked_events") == 0, where
    open_ = "SELECT count(*) FROM projector.absent_states WHERE reason IN ('no_parent', 'contested')"
    assert await connection.fetchval(open_) == 0, where
    for entity in entities:
        for i, (_, row) in (await rows(connection, entity)).items():
            truth = upstream.truth[entity][i]
            assert truth is not None, f"{where}: {entity} {i} is deleted"
            assert row | plain(truth) == row, f"{where}: {entity} {i}"
    live = {i for i, row in upstream.truth["user"].items() if row is not None}
    assert (await rows(connection, "user")).keys() == live, where
    names = ("applied + superseded + parked + rejected + ignored + skipped", "next_offset", "rejected")
    sums = await connection.fetchrow(
        f"SELECT {', '.join(f'coalesce(sum({n}), 0)' for n in names)} FROM projector.offsets"
    )
    assert tuple(sums) == (received, received, 0), where


def touches(defined: Defined, key: tuple[str, UUID], contested: set[UUID]) -> bool:
    """Whether it is contested, or belongs to somebody who is."""
    state = defined.states.get(key)
    if key[1] in contested or state is None or state[1] is None:
        return key[1] in contested
    return any(touches(defined, (parent, UUID(state[1][c])), contested) for c, parent in PARENTS[key[0]].items())


async def rows(connection: asyncpg.Connection, entity: str) -> dict[UUID, tuple[int, dict[str, Any]]]:
    """What the entity's table shows: by id, the version and the other columns but the times."""
    found = {}
    for row in map(
        dict, await connection.fetch(f"SELECT {', '.join(WITH_COMMENTS[entity].columns)} FROM {TABLES[entity]}")
    ):
        entity_id, version = row.pop("id"), row.pop("version")
        found[entity_id] = version, plain(row)
    return found


def plain(row: dict[str, Any]) -> dict[str, Any]:
    return {k: str(v) if isinstance(v, UUID) else v for k, v in row.items() if not k.endswith("_at")}
