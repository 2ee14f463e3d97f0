"""A process that is frozen in the middle of a transaction holds nobody up for long, wherever it is frozen."""

import asyncio
import json
from datetime import UTC, datetime

import asyncpg
import pytest
from sqlalchemy import text

from neon_projector.consumer.apply.lock import CLAIM_KEY, LOCK_KEY, enter
from neon_projector.consumer.apply.mode import Mode
from neon_projector.consumer.apply.watchdog import Watchdog
from tests.races.stepping import Writer
from tests.support.projector import eventually, running_projector
from tests.support.world import World

SOON = 40
"""Seconds: 15 until it counts as frozen, 5 until somebody looks, and a slow machine."""
BACKEND = "SELECT count(*)::int FROM pg_stat_activity WHERE query LIKE 'SELECT repeat(''x''%' AND state = 'active'"
UNREAD = "SELECT repeat('x', 1000) FROM generate_series(1, 300000)"
"""An answer that no buffer holds."""
HOLDING = {
    "a batch": f"BEGIN; SELECT pg_advisory_xact_lock({LOCK_KEY})",
    "a claim": f"BEGIN; SELECT pg_advisory_xact_lock_shared({CLAIM_KEY}); SELECT 1 FROM projector.offsets FOR UPDATE",
}


@pytest.mark.parametrize("holding", HOLDING)
async def test_promise_5_1_one_frozen_between_preparing_a_statement_and_executing_it_is_ended(
    backlog: World, holding: str
) -> None:
    settings = backlog.settings | {"LOG_FORMAT": "json"}
    with running_projector(settings) as before:
        eventually("there are positions", lambda: before.status().get("batches", 0) > 0)
        assert before.terminate() == 0
    frozen = await asyncpg.connect(backlog.database_url)
    await frozen.execute(HOLDING[holding])
    await frozen.prepare("SELECT $1::int")  # and nothing more: the server waits for the rest
    with running_projector(settings) as heir:
        eventually("a batch is written", lambda: heir.status().get("batches", 0) > 0, SOON)
        said = [json.loads(line)["message"] for line in heir.logged().splitlines()]
        assert heir.terminate() == 0
    assert "another process is frozen and blocks this one; transactions of it that were ended: 1" in said
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await frozen.execute("COMMIT")


async def test_promise_5_1_one_frozen_while_it_receives_an_answer_is_ended(backlog: World) -> None:
    settings = backlog.settings | {"LOG_FORMAT": "json"}
    with running_projector(settings) as before:
        eventually("there are positions", lambda: before.status().get("batches", 0) > 0)
        assert before.terminate() == 0
    frozen = await asyncpg.connect(backlog.database_url)
    await frozen.execute(HOLDING["a claim"])
    receiving = await receiving_nothing(frozen)
    await backlog.until(f"{BACKEND} AND wait_event = 'ClientWrite'", 1)
    with running_projector(settings) as heir:
        await asyncio.to_thread(eventually, "a batch is written", lambda: heir.status().get("batches", 0) > 0, SOON)
        said = [json.loads(line)["message"] for line in heir.logged().splitlines()]
        assert await asyncio.to_thread(heir.terminate) == 0
    assert "another process is frozen and blocks this one; transactions of it that were ended: 1" in said
    receiving.cancel()
    frozen.terminate()


async def test_promise_5_1_the_server_itself_gives_up_an_answer_of_which_nothing_is_read(database: str) -> None:
    writer = Writer(database, 0)
    async with writer.engine.connect() as connection:
        await connection.begin()
        await enter(connection, Mode.EXCLUSIVE)
        await connection.execute(text("SELECT"))
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        receiving = await receiving_nothing(driver)
        looking = World("", database, "", "")
        await looking.until(f"{BACKEND} AND wait_event = 'ClientWrite'", 1)
        await looking.until(BACKEND, 0, SOON)
        receiving.cancel()
        driver.terminate()
        await connection.invalidate()
    await writer.engine.dispose()


async def test_one_that_receives_a_long_answer_and_reads_is_not_ended(database: str) -> None:
    """Seen writing at one look and reading on at the next: it was not the same wait."""
    engine = Writer(database, 0).engine
    frozen, since = Watchdog(engine), datetime.now(UTC)
    writes = [(7, since, False, 99.0)]
    looks = {0.0: writes, 5.0: writes, 10.0: [], 15.0: writes, 20.0: writes, 25.0: writes, 29.0: writes}
    assert [frozen._frozen(found, at) for at, found in looks.items()] == [[]] * len(looks)
    assert frozen._frozen(writes, 30.0) == [(7, since)]
    assert frozen._frozen(writes, 99.0) == [], "nobody looked for long"
    await engine.dispose()


async def receiving_nothing(connection: asyncpg.Connection) -> asyncio.Task[str]:
    """Ask for a long answer and read nothing of it, as a process does that is stopped."""
    connection._transport.pause_reading()
    receiving = asyncio.create_task(connection.execute(UNREAD))
    await asyncio.sleep(0)
    return receiving
