"""The poller of docs/outbox.md: whatever is committed arrives, wherever it is killed."""

import asyncio
import random
from uuid import uuid4

import asyncpg

from tests.outbox.poller import Pollers, pollers
from tests.outbox.source import Changes, make_tables, tables_are_equal
from tests.outbox.writers import writing
from tests.support.projector import running_projector
from tests.support.world import World

KILLS = 6
SENT = "SELECT count(*) FROM outbox WHERE sent_at IS NOT NULL"
TO_SEND = "SELECT count(*) FROM outbox WHERE sent_at IS NULL"
MARK_WAITS = """
CREATE FUNCTION mark_waits() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NEW; END$$;
CREATE TRIGGER mark_waits BEFORE UPDATE ON outbox FOR EACH ROW EXECUTE FUNCTION mark_waits();
"""
"""So that a test can keep a poller between its sending and its mark."""
WAITS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


async def test_killed_at_random_under_load_nothing_is_lost_and_the_tables_are_the_sources_own(
    world: World, empty_database: str
) -> None:
    await world.create_topics(partitions=3)
    await make_tables(empty_database, prefix=world.users.removesuffix("users"))
    source = await asyncpg.connect(empty_database)
    try:
        await source.execute(MARK_WAITS)
        with running_projector(world.settings), pollers(empty_database, world) as running:
            async with writing(empty_database, seed=1, transactions=600):
                await kill_at_random(source, running)
            await until(source, TO_SEND, 0)
            await world.until_consumed(await world.end_offsets(), seconds=120)
            await tables_are_equal(empty_database, world)
            await kill_between_sending_and_mark(source, running, world)
            await world.until_consumed(await world.end_offsets(), seconds=120)
            await tables_are_equal(empty_database, world)
    finally:
        await source.close()


async def kill_at_random(source: "asyncpg.Connection", running: Pollers) -> None:
    """Each time that some more is marked, one of them, so many times."""
    chance = random.Random(2)
    for _ in range(KILLS):
        enough = await source.fetchval(SENT) + chance.randint(1, 100)
        async with asyncio.timeout(120):
            while await source.fetchval(SENT) < enough:
                await asyncio.sleep(0.002)
        running.kill_one()
        running.start()


async def kill_between_sending_and_mark(source: "asyncpg.Connection", running: Pollers, world: World) -> None:
    """All of them: what one has sent and not marked, another one sends again."""
    before = await world.end_offsets()
    await source.execute("SELECT pg_advisory_lock(1)")
    async with source.transaction():
        await Changes(source).create("users", id=uuid4(), email="last@example.com", name="last")
    await until(source, WAITS, 1)
    assert await world.end_offsets() == before + 1
    for _ in tuple(running.running):
        running.kill_one()
    await source.execute("SELECT pg_advisory_unlock(1)")
    running.start()
    await until(source, TO_SEND, 0)
    assert await world.end_offsets() == before + 2


async def until(source: "asyncpg.Connection", query: str, expected: int) -> None:
    async with asyncio.timeout(120):
        while await source.fetchval(query) != expected:
            await asyncio.sleep(0.02)
