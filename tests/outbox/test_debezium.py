"""Debezium's outbox router, as in docs/outbox.md, in both modes of CloudEvents."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from neon_projector.consumer.demo.servers.postgres import embedded_postgres
from tests.conftest import TEMPLATE, database_url
from tests.outbox.debezium import connectors, heartbeats, worker
from tests.outbox.source import make_tables, tables_become_equal
from tests.outbox.writers import writing
from tests.support.connect import Connect
from tests.support.projector import running_projector
from tests.support.servers import execute
from tests.support.topics import create_topics
from tests.support.world import World


@pytest.fixture
def source_url() -> Iterator[str]:
    """A database of a server that has logical replication."""
    with embedded_postgres(("fsync=off", "wal_level=logical")) as server:
        yield server.url


@pytest.fixture
async def worlds(kafka: str, database: str, postgres: str) -> AsyncIterator[dict[str, World]]:
    """One for each mode."""
    other = "test_outbox_other"
    await execute(postgres, f"DROP DATABASE IF EXISTS {other} (FORCE)")
    await execute(postgres, f"CREATE DATABASE {other} TEMPLATE {TEMPLATE}")
    urls = {"binary": database, "cloudevents": database_url(postgres, other)}
    made = {kind: World.of_its_own(kafka, url) for kind, url in urls.items()}
    for kind, world in made.items():
        await world.create_topics()
        await create_topics(kafka, heartbeats(kind, world))
    yield made
    await execute(postgres, f"DROP DATABASE {other} (FORCE)")


async def test_connect_killed_under_load_nothing_is_lost_and_the_tables_are_the_sources_own(
    worlds: dict[str, World], source_url: str, kafka: str, tmp_path: Path
) -> None:
    await make_tables(source_url)
    sources = connectors(source_url, worlds)
    with running_projector(worlds["binary"].settings), running_projector(worlds["cloudevents"].settings):
        async with writing(source_url, seed=3, transactions=150), worker(kafka, tmp_path) as connect:
            await connect.start(sources)
            for world in worlds.values():
                await until_published(world, 100)
            await until_flushed(tmp_path, connect)
        async with worker(kafka, tmp_path) as connect:
            await connect.start(sources)
            for world in worlds.values():
                await tables_become_equal(source_url, world)
    for kind, world in worlds.items():
        assert (await world.totals())["ignored"] == 0, "heartbeats and tombstones are elsewhere"
        assert (await world.totals())["rejected"] == 0
        record = await first_record(world)
        assert record.key.decode().count("-") == 4
        assert (b'"data"' in record.value) == (kind == "cloudevents")
        assert b'"schema"' not in record.value


async def until_published(world: World, records: int) -> None:
    async with asyncio.timeout(120):
        while await world.end_offsets() < records:
            await asyncio.sleep(0.05)


async def until_flushed(home: Path, connect: Connect) -> None:
    """Wait until the worker has written its offsets, and then for less than it takes to the next time.

    It does not write them in one step, so a worker that is killed then would need a person.
    """
    offsets = home / "offsets"
    before = offsets.stat().st_mtime_ns if offsets.exists() else 0
    async with asyncio.timeout(120):
        while not offsets.exists() or offsets.stat().st_mtime_ns == before:
            assert await connect.failed() is None
            await asyncio.sleep(0.01)
    await asyncio.sleep(random.random() / 2)


async def first_record(world: World) -> "ConsumerRecord[bytes, bytes]":
    async with AIOKafkaConsumer(world.users, bootstrap_servers=world.bootstrap, auto_offset_reset="earliest") as client:
        return await client.getone()
