"""What an instance costs the database: connections, and round trips of a batch."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bench.check import differences
from bench.events import Mix
from bench.publish import publish
from neon_projector.consumer.demo.servers.postgres import EmbeddedPostgres
from tests.neon.asking import loud
from tests.neon.conftest import database_of
from tests.races.stepping import Writer
from tests.support.factories import a_document_event, a_user_event
from tests.support.neon_proxy import NeonProxy, neon_proxy
from tests.support.pgbouncer import PgBouncer
from tests.support.projector import Projector, running_projector
from tests.support.world import World

BESIDE_BATCHES = 4
"""Connections beside those of batches: positions that are claimed or read, the count of what waits, /health/db, and a
look for frozen processes. docs/neon.md has the sum."""
ROUND_TRIPS = {
    "direct": {"users": 3, "documents": 3, "updates": 3, "titles": 3},
    "pooled": {"users": 4, "documents": 4, "updates": 4, "titles": 4},
}
"""Of a batch of new entities of one kind, or of partial changes, once a connection has had one (docs/neon.md)."""
LARGE = 3_500
"""Events in a batch, on the average, while a backlog is worked off 50 ms away."""
OURS = (
    "SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() "
    "AND application_name = 'neon-projector'"
)


async def test_an_instance_holds_few_connections(neon: World) -> None:
    mix = Mix(users=3_000, documents=6_000, updates=6_000)
    await publish(neon.bootstrap, {"users": neon.users, "documents": neon.documents}, mix.events())
    most = 0
    with running_projector(neon.settings | {"BATCH_MAX_EVENTS": "200"}) as projector:
        async with asking(projector, 10):
            while await neon.value("SELECT coalesce(sum(next_offset), 0)::int FROM projector.offsets") < mix.total:
                most = max(most, await neon.value(OURS))
        most = max(most, await neon.value(OURS))
    assert 1 <= most <= 8 + BESIDE_BATCHES


async def test_an_instance_that_waits_for_everything_at_once_holds_four_beside_its_batches(neon: World) -> None:
    mix = Mix(users=3_000, documents=0, updates=0)
    await publish(neon.bootstrap, {"users": neon.users, "documents": neon.documents}, mix.events())
    settings = neon.settings | {"BATCH_MAX_EVENTS": "200", "BATCHES_AT_ONCE": "2"}
    with running_projector(settings) as projector:
        async with asking(projector, 10):
            async with neon.locked("projector.absent_states"):  # for batches and the count
                await neon.until(f"SELECT ({OURS}) >= 5", True)  # the pool keeps what it has opened
            await neon.until_consumed(mix.total)
        assert await neon.value(OURS) <= 2 + BESIDE_BATCHES


@pytest.mark.parametrize("document", ["design", "neon", "settings"])
def test_the_documents_agree_about_connections(document: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / f"{document}.md").read_text()
    assert "`BATCHES_AT_ONCE` + 4" in text
    assert "twelve" in text


@asynccontextmanager
async def asking(projector: Projector, askers: int) -> AsyncIterator[None]:
    """Meanwhile that many ask /health/db, again and again."""

    async def ask() -> None:
        while True:
            await asyncio.to_thread(projector.get, "/health/db")

    tasks = [asyncio.create_task(ask()) for _ in range(askers)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def cost(writer: Writer, proxy: NeonProxy, events: list[dict[str, Any]]) -> int:
    """The round trips of one batch."""
    batch = await writer.batch(events)
    before = proxy.round_trips
    await writer.write(batch)
    return proxy.round_trips - before


@pytest.mark.parametrize("way", ["direct", "pooled"])
async def test_the_round_trips_of_a_batch_do_not_grow_with_it(
    neon: World, server: EmbeddedPostgres, pooler: PgBouncer, way: str
) -> None:
    async with neon_proxy(server.port if way == "direct" else pooler.port) as proxy:
        query = "" if way == "direct" else "?pgbouncer=true"
        writer = Writer(proxy.url(database_of(neon)) + query, 0)
        counted: dict[str, list[int]] = {}
        for size in (1, 1, 5, 500):
            users = [a_user_event() for _ in range(size)]
            owners = [UUID(user["data"]["id"]) for user in users]
            documents = [a_document_event(owner=owner) for owner in owners]
            updates = [a_user_event("updated", id=owner, version=2, name="Grace") for owner in owners]
            titles = [a_document_event("updated", document["data"]["id"], 2, title="New") for document in documents]
            groups = {"users": users, "documents": documents, "updates": updates, "titles": titles}
            for name, events in groups.items():
                counted.setdefault(name, []).append(await cost(writer, proxy, events))
        await writer.engine.dispose()
    for name, numbers in counted.items():
        assert len(set(numbers[1:])) == 1, f"{name}: {numbers}"
        assert numbers[-1] <= ROUND_TRIPS[way][name]


async def test_a_database_far_away_is_only_slower(neon: World, proxy: NeonProxy) -> None:
    mix = Mix(users=500, documents=1_000, updates=1_000)
    await publish(neon.bootstrap, {"users": neon.users, "documents": neon.documents}, mix.events())
    proxy.round_trip_seconds = 0.05
    with running_projector(neon.settings | {"NEON_DATABASE_URL": proxy.url(database_of(neon))}) as projector:
        await neon.until_consumed(mix.total, seconds=60)
        assert await asyncio.to_thread(projector.terminate) == 0
        assert loud(projector.logged()) == []
    assert await differences(neon.database_url, mix.truth) == 0


async def test_far_from_the_database_batches_are_larger(neon: World, proxy: NeonProxy) -> None:
    mix = Mix(users=20_000, documents=40_000, updates=0)
    await publish(neon.bootstrap, {"users": neon.users, "documents": neon.documents}, mix.events())
    proxy.round_trip_seconds = 0.05
    with running_projector(neon.settings | {"NEON_DATABASE_URL": proxy.url(database_of(neon))}) as projector:
        await neon.until_consumed(mix.total, seconds=60)
        batches = (await asyncio.to_thread(projector.status))["batches"]
    assert mix.total / batches >= LARGE
