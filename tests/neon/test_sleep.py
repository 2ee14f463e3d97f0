"""A database that sleeps: idle sends it nothing, events wake it, and what its suspension cuts costs no batch."""

import asyncio

from neon_projector.consumer.demo.servers.postgres import EmbeddedPostgres
from tests.neon.asking import loud
from tests.neon.conftest import database_of, statements
from tests.support.neon_proxy import NeonProxy
from tests.support.projector import Projector, running_projector
from tests.support.world import World

IDLE_SECONDS = 60
WAKING_SECONDS = 15
PATHS = ("/metrics", "/health/live", "/health/ready", "/status", "/")


def through(neon: World, proxy: NeonProxy) -> dict[str, str]:
    """The settings of a service that reaches the database through Neon's proxy."""
    return neon.settings | {"NEON_DATABASE_URL": proxy.url(database_of(neon))}


async def ask_all(projector: Projector) -> list[int]:
    return [(await asyncio.to_thread(projector.get, path))[0] for path in PATHS]


async def test_promise_5_6_idle_means_no_sql_by_the_servers_own_log(neon: World, server: EmbeddedPostgres) -> None:
    await neon.publish_users(10)
    with running_projector(neon.settings) as projector:
        await neon.until_consumed(10)
        await neon.until_quiet(3)
        before = statements(server, neon)
        assert any("COMMIT" in line for line in before), "the log does not show what the service sends"
        for _ in range(IDLE_SECONDS // 5):
            assert (await ask_all(projector))[:4] == [200] * 4
            await asyncio.sleep(5)  # what is looked at is that nothing happens
        assert statements(server, neon)[len(before) :] == []
        await neon.publish_users(1)
        await neon.until_consumed(11)
        assert len(statements(server, neon)) > len(before)


async def test_promise_5_6_events_that_arrive_while_the_database_sleeps_are_applied_after_a_slow_waking(
    neon: World, proxy: NeonProxy
) -> None:
    await neon.publish_users(5)
    with running_projector(through(neon, proxy)) as projector:
        await neon.until_consumed(5)
        await neon.until_quiet(3)
        proxy.wake_seconds = WAKING_SECONDS
        proxy.suspend()
        opened = proxy.opened
        await neon.publish_users(5)
        await neon.until_consumed(10, seconds=WAKING_SECONDS + 15)
        assert proxy.opened > opened, "it was not asleep"
        assert (await ask_all(projector))[:4] == [200] * 4
        assert await asyncio.to_thread(projector.terminate) == 0
        assert loud(projector.logged()) == []
        assert "trying again" not in projector.logged(), "waking is no failure"
    assert (await neon.totals())["applied"] == 10


async def test_connections_killed_at_suspend_cost_no_failed_batch(neon: World, proxy: NeonProxy) -> None:
    with running_projector(through(neon, proxy)) as projector:
        for night in range(1, 4):
            await neon.publish_users(20)
            await neon.until_consumed(20 * night)
            await neon.until_quiet(3)
            proxy.suspend()
        await neon.publish_users(20)
        await neon.until_consumed(80)
        metrics = (await asyncio.to_thread(projector.get, "/metrics"))[1]
        assert await asyncio.to_thread(projector.terminate) == 0
        assert loud(projector.logged()) == []
    assert "projector_retries_total{" not in metrics


async def test_a_service_that_starts_while_the_database_sleeps_waits_for_it(neon: World, proxy: NeonProxy) -> None:
    await neon.publish_users(5)
    proxy.wake_seconds = 5
    with running_projector(through(neon, proxy)) as projector:
        await neon.until_consumed(5, seconds=WAKING_SECONDS + 15)
        assert await asyncio.to_thread(projector.terminate) == 0
        assert loud(projector.logged()) == []


async def test_promise_5_4_a_silent_network_does_not_hold_a_partition_for_ever(neon: World, proxy: NeonProxy) -> None:
    settings = through(neon, proxy) | {"DB_STATEMENT_TIMEOUT": "3"}
    settings["NEON_DATABASE_URL"] += "?connect_timeout=3"
    with running_projector(settings) as projector:
        await neon.publish_users(5)
        await neon.until_consumed(5)
        async with neon.locked("users"):  # a batch is in the middle of a statement when the network dies
            await neon.publish_users(5)
            await neon.until(
                "SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() "
                "AND wait_event_type = 'Lock' AND query LIKE '%users%'",
                1,
            )
            assert "trying again" not in projector.logged()
            proxy.silent = True
        async with asyncio.timeout(15):  # 3 s for the statement, 5 for its answer, 2 for a farewell
            while "trying again" not in projector.logged():
                await asyncio.sleep(0.05)
        proxy.silent = False
        await neon.until_consumed(10)
        assert await asyncio.to_thread(projector.terminate) == 0
        assert loud(projector.logged()) == []
    assert (await neon.totals())["applied"] == 10


async def test_a_silent_connection_from_the_pool_is_replaced_before_it_is_used(neon: World, proxy: NeonProxy) -> None:
    with running_projector(through(neon, proxy)) as projector:
        await neon.publish_users(5)
        await neon.until_consumed(5)
        await neon.until_quiet(3)
        proxy.silent = True
        opened = proxy.opened
        await neon.publish_users(5)
        async with asyncio.timeout(30):
            while proxy.swallowed < 1:  # the question whether the connection lives
                await asyncio.sleep(0.01)
        proxy.silent = False
        await neon.until_consumed(10)
        assert proxy.opened > opened
        assert await asyncio.to_thread(projector.terminate) == 0
        assert loud(projector.logged()) == []


async def test_a_service_is_stopped_also_while_the_network_is_silent(neon: World, proxy: NeonProxy) -> None:
    with running_projector(through(neon, proxy)) as projector:
        await neon.publish_users(5)
        await neon.until_consumed(5)
        await neon.until_quiet(3)
        proxy.silent = True
        assert await asyncio.to_thread(projector.terminate) == 0
        assert loud(projector.logged()) == []
