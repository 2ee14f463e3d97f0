"""A role that may not do what a command needs is told so in one sentence, before anything begins."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg
import pytest

from neon_projector.consumer.errors import FatalError, Refused
from tests.operate.commands import failed, told
from tests.support.servers import execute
from tests.support.world import World


@pytest.fixture
async def reader(world: World) -> AsyncIterator[World]:
    """The world as a role sees it that may read and write rows, and create nothing."""
    role = f"role_{uuid4().hex[:8]}"
    connection = await asyncpg.connect(world.database_url)
    await connection.execute(f"""
        CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA projector, public TO {role};
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA projector, public TO {role};
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA projector TO {role}""")
    address = urlsplit(world.database_url)
    yield replace(world, database_url=address._replace(netloc=f"{role}@{address.netloc.rpartition('@')[2]}").geturl())
    await connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
    await connection.close()


async def test_who_may_not_create_tables_is_told_which_right_verify_and_rebuild_need(reader: World) -> None:
    role = urlsplit(reader.database_url).username
    for words in (("verify",), ("rebuild",)):
        error = await failed(reader, *words)
        assert isinstance(error, FatalError)
        assert error.exit_status == 3
        assert f"the role {role} may not create them" in str(error)
        assert str(error).endswith(f"GRANT CREATE ON SCHEMA projector TO {role}")
        assert not hasattr(error, "__notes__")
    assert await reader.rows("SELECT FROM projector.operations") == []


async def test_who_may_not_see_all_rows_hears_nothing_of_what_is_missing(world: World, reader: World) -> None:
    role, one = urlsplit(reader.database_url).username, str(UUID(int=1))
    await world.create_topics()
    looking = [("verify",), ("rebuild", "--execute"), ("explain", one), ("explain", "--email", "ada@example.com")]
    looking += [("explain", "--partition", f"{world.users}:0"), ("forget", one)]

    async def hidden(table: str, *commands: tuple[str, ...]) -> None:
        for words in commands:
            error = await failed(reader, *words)
            assert isinstance(error, FatalError), words
            assert f"may hide rows of {table} from the role {role}," in str(error), words

    await execute(world.database_url, f"GRANT CREATE ON SCHEMA projector TO {role}")
    await execute(world.database_url, "ALTER TABLE users ENABLE ROW LEVEL SECURITY")
    await hidden("public.users", ("verify",))
    await execute(world.database_url, "CREATE POLICY active ON users USING (is_active)")
    await hidden("public.users", *looking)
    assert await world.rows("SELECT FROM projector.operations") == []
    await execute(world.database_url, f"CREATE POLICY all_to_others ON users TO {role} USING (false)")
    await hidden("public.users", ("verify",))
    await execute(world.database_url, f"CREATE POLICY all_rows ON users FOR SELECT TO {role} USING (true)")
    assert (await told(reader, "verify"))["verdict"] == "equal"
    await execute(world.database_url, "CREATE POLICY narrow ON users AS RESTRICTIVE USING (is_active)")
    await hidden("public.users", ("verify",))
    await execute(world.database_url, "DROP POLICY narrow ON users")
    await execute(world.database_url, "ALTER TABLE projector.parked_events ENABLE ROW LEVEL SECURITY")
    await hidden("projector.parked_events", ("verify",))
    await execute(world.database_url, f"ALTER ROLE {role} BYPASSRLS")
    assert (await told(reader, "verify"))["verdict"] == "equal"


async def test_with_another_group_than_the_services_no_row_is_called_unexpected(world: World) -> None:
    position = "INSERT INTO projector.offsets (group_id, topic, partition, next_offset) VALUES ('theirs', $1, 0, 0)"
    await world.rows(position, world.users)
    for words in (("verify",), ("rebuild", "--execute", "--yes")):
        error = await failed(world, *words)
        assert isinstance(error, Refused)
        assert str(error) == f"Not done: the service here has KAFKA_GROUP_ID=theirs, and yours is {world.group}"
    assert await world.rows("SELECT FROM projector.operations") == []


async def test_a_connection_that_is_killed_while_a_command_asks_is_the_cause_that_is_named(world: World) -> None:
    waits = "WHERE wait_event_type = 'Lock' AND datname = current_database()"
    await world.create_topics()
    for words in (("replay", "--all-topics"), ("offsets", "show")):
        async with world.locked("projector.offsets"):
            asking = asyncio.create_task(failed(world, *words))
            await world.until(f"SELECT count(*)::int FROM pg_stat_activity {waits}", 1)
            await world.rows(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity {waits}")
            error = await asking
        assert "the connection was lost" in str(error), words
