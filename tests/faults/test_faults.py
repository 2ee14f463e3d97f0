"""Faults while 50,000 events drain: nothing lost, nothing twice, no dead letter, no restart by hand."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable

import asyncpg

from bench.check import differences
from bench.events import Mix
from neon_projector.consumer.demo.servers.postgres import EmbeddedPostgres
from tests.faults.proxy import proxy
from tests.support.kafka import LocalKafka
from tests.support.projector import Projector, eventually, running_projector
from tests.support.world import World

SMALL = {"BATCH_MAX_EVENTS": "500"}
RECOVERED_SECONDS = 10
SESSION_SECONDS = 10


async def test_promise_5_4_postgres_crashes_three_times(backlog: World, server: EmbeddedPostgres, mix: Mix) -> None:
    with running_projector(backlog.settings | SMALL) as projector:
        for _ in range(3):
            goes_on(projector)
            server.stop("immediate")
            eventually("it notices", lambda: projector.get("/health/ready")[0] == 503)
            assert projector.get("/health/live")[0] == 200
            await asyncio.sleep(20)  # the fault's own length: longer than the longest pause
            server.start()
            goes_on(projector, RECOVERED_SECONDS)
        await exact(backlog, mix)
        assert projector.terminate() == 0


async def test_promise_5_4_the_broker_crashes_and_comes_back(backlog: World, broker: LocalKafka, mix: Mix) -> None:
    with running_projector(backlog.settings | SMALL) as projector:
        goes_on(projector)
        broker.stop()
        await asyncio.sleep(3)  # the broker is away for a while
        broker.start()
        await exact(backlog, mix)
        assert projector.terminate() == 0


async def test_promise_5_1_a_frozen_process_that_wakes_after_its_partitions_moved_changes_nothing(
    backlog: World, mix: Mix
) -> None:
    with running_projector(backlog.settings | SMALL) as zombie:
        goes_on(zombie)
        zombie.process.send_signal(signal.SIGSTOP)
        with running_projector(backlog.settings | SMALL) as heir:
            await backlog.until_consumed(mix.total, seconds=90)
            zombie.process.send_signal(signal.SIGCONT)
            eventually("it is back in the group", lambda: zombie.get("/health/ready")[0] == 200)
            await exact(backlog, mix)
            assert heir.terminate() == 0
        assert zombie.terminate() == 0


async def test_promise_5_1_answers_to_commit_that_are_lost(backlog: World, server: EmbeddedPostgres, mix: Mix) -> None:
    async with proxy(("127.0.0.1", server.port)) as between:
        url = backlog.database_url.replace(f":{server.port}/", f":{between.port}/")
        with running_projector(backlog.settings | SMALL | {"NEON_DATABASE_URL": url}) as projector:
            for _ in range(5):
                await until(lambda: projector.status().get("batches", 0) > 0)
                between.swallowed, between.swallow = 0, 1
                await until(lambda: between.swallowed == 1)
            await exact(backlog, mix)
            told = await asyncio.to_thread(projector.status)
            assert projector.terminate() == 0
    assert sum(told["events"].values()) == mix.total, "a batch whose answer was lost was counted twice, or not at all"


async def exact(world: World, mix: Mix) -> None:
    """All is consumed, and tables, totals and dead letters are what they must be."""
    await world.until_consumed(mix.total, seconds=90)
    assert await differences(world.database_url, mix.truth) == 0
    totals = await world.totals()
    assert totals["applied"] + totals["parked"] == sum(totals.values()) == mix.total
    assert await world.value("SELECT count(*)::int FROM projector.dead_letters") == 0
    assert await world.value("SELECT count(*)::int FROM projector.absent_states") == 0


def goes_on(projector: Projector, seconds: float = 30) -> None:
    """Wait until one more batch is written."""
    before = projector.status().get("batches", 0)
    started = time.monotonic()
    eventually("another batch is written", lambda: projector.status().get("batches", 0) > before, seconds)
    assert time.monotonic() - started < seconds


async def until(check: Callable[[], bool], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(check):
            await asyncio.sleep(0.02)


async def test_promise_5_4_backends_are_terminated_every_second_for_20_seconds(backlog: World, mix: Mix) -> None:
    with running_projector(backlog.settings | {"BATCH_MAX_EVENTS": "50"}) as projector:
        goes_on(projector)
        for _ in range(20):
            await backlog.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            await asyncio.sleep(1)  # the fault has a rhythm
        await exact(backlog, mix)
        assert projector.terminate() == 0


async def test_promise_5_4_the_pool_is_exhausted_and_every_connection_of_the_server_taken(
    backlog: World, server: EmbeddedPostgres, mix: Mix
) -> None:
    taken: list[asyncpg.Connection] = []
    with running_projector(backlog.settings | SMALL | {"DB_POOL_SIZE": "1", "DB_MAX_OVERFLOW": "0"}) as projector:
        goes_on(projector)
        server.stop("immediate")
        server.start()
        with contextlib.suppress(asyncpg.TooManyConnectionsError, asyncpg.CannotConnectNowError):
            while True:
                taken.append(await asyncpg.connect(backlog.database_url))
        await asyncio.sleep(3)  # nobody gets in for a while
        for connection in taken:
            await connection.close()
        eventually("it is ready", lambda: projector.get("/health/ready")[0] == 200, RECOVERED_SECONDS)
        await exact(backlog, mix)
        assert projector.terminate() == 0


async def test_promise_5_4_deadlocks_and_lock_waits_provoked_on_purpose(backlog: World, mix: Mix) -> None:
    with running_projector(backlog.settings | SMALL) as projector:
        goes_on(projector)
        other = await asyncpg.connect(backlog.database_url)
        deadlocks = 0
        for _ in range(40):
            try:  # in the order opposite to ours, with a pause to meet in
                async with other.transaction():
                    await other.execute("UPDATE projector.offsets SET updated_at = now()")
                    await asyncio.sleep(0.1)
                    await other.execute("LOCK TABLE documents, users")
            except asyncpg.DeadlockDetectedError:
                deadlocks += 1
        await other.close()
        await exact(backlog, mix)
        told = await asyncio.to_thread(projector.get, "/metrics")
        assert projector.terminate() == 0
    assert deadlocks > 0 or 'projector_retries_total{reason="conflict"}' in told[1], "nothing was provoked"


async def test_a_dynamic_member_that_is_killed_is_replaced_within_its_session_and_5_s(backlog: World, mix: Mix) -> None:
    with running_projector(backlog.settings | SMALL) as first:
        goes_on(first)
        first.kill()
    started = time.monotonic()
    with running_projector(backlog.settings | SMALL) as second:
        goes_on(second, SESSION_SECONDS + 5)
        assert time.monotonic() - started < SESSION_SECONDS + 5
        await exact(backlog, mix)
        assert second.terminate() == 0
