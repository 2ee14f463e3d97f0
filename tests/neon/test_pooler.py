"""Through a transaction pooler that knows no prepared statements everything works: nothing relies on a session."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from bench.check import differences
from bench.events import Mix
from bench.publish import publish
from neon_projector.consumer.demo.servers.postgres import EmbeddedPostgres
from neon_projector.consumer.errors import FatalError, TransientError
from tests.neon.asking import asked, loud
from tests.neon.conftest import database_of, statements
from tests.support.factories import a_document_event, a_record
from tests.support.pgbouncer import PgBouncer, pgbouncer
from tests.support.projector import command, eventually, running_projector
from tests.support.world import World

COMMANDS = (
    "migrate --check",
    "status",
    "verify",
    f"explain {uuid4()}",
    "offsets show",
    "dead-letters list",
    "parked list",
    "pause",
    "resume",
)


def pooled(neon: World, pooler: PgBouncer) -> dict[str, str]:
    """The settings of a service behind `pooler`, with the direct address beside."""
    return neon.settings | {
        "NEON_DATABASE_URL": pooler.url(database_of(neon)),
        "NEON_DIRECT_DATABASE_URL": neon.database_url,
    }


async def test_three_instances_share_a_drain_over_two_server_connections(neon: World, pooler: PgBouncer) -> None:
    mix = Mix(users=2_000, documents=4_000, updates=4_000)
    settings = pooled(neon, pooler) | {"BATCH_MAX_EVENTS": "200"}
    with running_projector(settings) as a, running_projector(settings) as b, running_projector(settings) as c:
        for one in (a, b, c):
            eventually("it has joined", lambda one=one: one.status().get("joined"))
        await publish(neon.bootstrap, {"users": neon.users, "documents": neon.documents}, mix.events())
        await neon.until_consumed(mix.total, seconds=90)
        for one in (a, b, c):
            assert one.terminate() == 0
            assert loud(one.logged()) == []
    assert await differences(neon.database_url, mix.truth) == 0
    assert sum((await neon.totals()).values()) == mix.total


async def test_everything_kept_aside_and_released_behind_the_pooler(neon: World, pooler: PgBouncer) -> None:
    with running_projector(pooled(neon, pooler)) as projector:
        await neon.publish([a_record(a_document_event())])
        await neon.until("SELECT count(*)::int FROM projector.absent_states WHERE reason = 'no_parent'", 1)
        assert (await asyncio.to_thread(projector.get, "/health/db"))[0] == 200
        assert loud(projector.logged()) == []


async def test_statements_have_no_name_and_none_is_left_behind_on_a_server_connection(
    neon: World, server: EmbeddedPostgres, pooler: PgBouncer
) -> None:
    migrated = len(statements(server, neon))
    await neon.publish_users(200)
    with running_projector(pooled(neon, pooler) | {"BATCH_MAX_EVENTS": "10"}):
        await neon.until_consumed(200)
    executed = [line for line in statements(server, neon)[migrated:] if " execute " in line]
    assert executed
    assert [line for line in executed if " execute <unnamed>: " not in line] == []
    for _ in range(4):  # whichever of the two server connections answers
        assert await prepared(pooler.url(database_of(neon))) == []


async def prepared(url: str) -> list[str]:
    """The prepared statements of the server connection that the pooler gives us."""
    connection = await asyncpg.connect(url.partition("?")[0], statement_cache_size=0)
    try:
        async with connection.transaction():
            rows = await connection.fetch("SELECT name FROM pg_prepared_statements WHERE name <> ''")
        return [row["name"] for row in rows]
    finally:
        await connection.close()


async def test_time_limits_hold_for_the_transaction_and_stay_with_nobody(
    neon: World, server: EmbeddedPostgres, pooler: PgBouncer
) -> None:
    url = pooler.url(database_of(neon))
    before = await asked(url, "SHOW statement_timeout")
    with running_projector(pooled(neon, pooler) | {"DB_STATEMENT_TIMEOUT": "2"}):
        await neon.publish_users(1)
        await neon.until_consumed(1)
        async with neon.locked("users"):
            await neon.publish_users(1)
            await neon.until(
                "SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() "
                "AND wait_event_type = 'Lock' AND application_name = 'neon-projector'",
                1,
            )
            async with asyncio.timeout(20):
                while not any("due to statement timeout" in line for line in statements(server, neon)):
                    await asyncio.sleep(0.05)
        await neon.until_consumed(2)
    assert await asked(url, "SHOW statement_timeout") == before == "0"
    assert await asked(url, "SHOW idle_in_transaction_session_timeout") == "0"


async def test_the_commands_work_behind_the_pooler(neon: World, pooler: PgBouncer) -> None:
    settings = pooled(neon, pooler)
    del settings["NEON_DIRECT_DATABASE_URL"]  # where none is given and none can be derived, migrations work too
    await neon.publish_users(20)
    with running_projector(settings):
        await neon.until_consumed(20)
    for arguments in COMMANDS:
        done = await asyncio.to_thread(command, *arguments.split(), settings=settings)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"


async def test_migrations_take_the_direct_address(neon: World, server: EmbeddedPostgres) -> None:
    with pgbouncer(server) as pooler:
        settings = pooled(neon, pooler)
        pooler.stop()
        done = await asyncio.to_thread(command, "migrate", settings=settings)
    assert done.returncode == 0, done.stderr


async def test_a_pooler_that_drops_startup_parameters(neon: World, server: EmbeddedPostgres) -> None:
    drops = "ignore_startup_parameters = options,application_name"
    with pgbouncer(server, drops) as pooler:
        url = pooler.url(database_of(neon), "pgbouncer=true&options=endpoint%3Dep-cool-dawn-123")
        await neon.publish_users(3)
        with running_projector(neon.settings | {"NEON_DATABASE_URL": url}):
            await neon.until_consumed(3)


async def test_a_server_that_is_away_behind_the_pooler_is_waited_for(neon: World, server: EmbeddedPostgres) -> None:
    with pgbouncer(server) as pooler, running_projector(pooled(neon, pooler)) as projector:
        await neon.publish_users(5)
        await neon.until_consumed(5)
        await asyncio.to_thread(server.stop, "immediate")
        try:
            await neon.publish_users(5)
            async with asyncio.timeout(30):  # the pooler keeps the batch waiting, or says that it can't log in
                while "connect failed" not in pooler.logged():
                    await asyncio.sleep(0.05)
        finally:
            await asyncio.to_thread(server.start)
        await neon.until_consumed(10)
        assert await asyncio.to_thread(projector.terminate) == 0
        assert loud(projector.logged()) == []
    assert (await neon.totals())["applied"] == 10


async def test_poolers_own_words(neon: World, server: EmbeddedPostgres) -> None:
    with pgbouncer(server) as pooler:
        url = pooler.url(database_of(neon))
        with pytest.raises(FatalError, match="does not take a parameter of the URL"):
            await asked(f"{url}&options=endpoint%3Dep-cool-dawn-123")
        with pytest.raises(FatalError, match="does not know the database"):
            await asked(pooler.url("nobody_made_this"))


async def test_a_pooler_that_is_full(neon: World, server: EmbeddedPostgres) -> None:
    with pgbouncer(server, "max_client_conn = 1\nquery_wait_timeout = 1\ndefault_pool_size = 1") as pooler:
        url = pooler.url(database_of(neon))
        other = await asyncpg.connect(url.partition("?")[0], statement_cache_size=0)
        with pytest.raises(TransientError) as full:
            await asked(url)
        await other.close()
    assert full.value.reason == "limit"


STATEMENT_MODE = "pool_mode = statement"


async def test_a_pooler_in_statement_mode_stops_the_service_and_every_command_and_is_named(
    neon: World, server: EmbeddedPostgres
) -> None:
    with pgbouncer(server, more=STATEMENT_MODE) as pooler:
        settings = pooled(neon, pooler) | {"HTTP_PORT": "0"}
        for one in ("run", "status", "offsets show", "pause", "verify"):
            done = await asyncio.to_thread(command, *one.split(), settings=settings, timeout=20)
            assert (one, done.returncode) == (one, 3), done.stderr
            assert "the pooler is in statement mode: set pool_mode = transaction" in done.stderr.splitlines()[-1], one


async def test_a_pooler_that_is_put_into_statement_mode_under_the_service_stops_it(
    neon: World, server: EmbeddedPostgres
) -> None:
    with pgbouncer(server) as pooler, running_projector(pooled(neon, pooler)) as projector:
        eventually("it is ready", lambda: projector.get("/health/ready")[0] == 200)
        pooler.stop()
        pooler.start(STATEMENT_MODE)
        await neon.publish_users(3)
        eventually("it stops", lambda: projector.process.poll() is not None)
        assert projector.process.returncode == 3
        assert "the pooler is in statement mode" in projector.logged().splitlines()[-1]
        assert await neon.value("SELECT count(*)::int FROM users") == 0
