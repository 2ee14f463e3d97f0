"""Sessions of applications behind a transaction pooler: each transaction has its own limits and rights."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from neon_projector.consumer.demo.servers.postgres import EmbeddedPostgres
from neon_projector.models.engine import create_engine
from neon_projector.models.reading import get_user, list_users, sync
from neon_projector.models.session import ReadOnlySession, session_factory, sync_session_factory, transaction
from neon_projector.models.settings import ReaderSettings
from neon_projector.models.sync_engine import create_sync_engine
from tests.models.rows import a_user, stored
from tests.support.pgbouncer import PgBouncer
from tests.support.servers import execute, migrate_database

TELL = text("SELECT current_setting('transaction_read_only'), current_setting('statement_timeout')")
INSERTS = text("INSERT INTO users VALUES ('a@b.c', 'Ada', true, gen_random_uuid(), now(), now(), 1)")


@pytest.fixture
async def settings(server: EmbeddedPostgres, pooler: PgBouncer) -> ReaderSettings:
    """Of an application behind the pooler."""
    name = f"t{uuid4().hex[:8]}"
    await execute(server.url, f"CREATE DATABASE {name}")
    await migrate_database(server.database_url(name))
    return ReaderSettings(neon_database_url=SecretStr(pooler.url(name)), db_statement_timeout=7)


async def test_readers_and_writers_take_turns_on_two_server_connections(settings: ReaderSettings) -> None:
    engine = create_engine(settings)
    reads, writes = session_factory(engine), session_factory(engine, writable=True)
    (ada,) = await stored(writes, a_user())

    async def reading() -> None:
        async with transaction(reads) as session:
            assert (await session.execute(TELL)).one() == ("on", "7s")
            assert await get_user(session, ada) is not None

    async def writing() -> None:
        async with transaction(writes) as session:
            assert (await session.execute(TELL)).one() == ("off", "7s")
            session.add(a_user())

    await asyncio.gather(*(one() for one in (reading, writing) * 10))
    async with reads() as session:
        assert (await list_users(session, with_total=True)).total == 11
        with pytest.raises(ReadOnlySession):
            await session.execute(INSERTS)
    await engine.dispose()
    plain = await asyncpg.connect(settings.neon_database_url.get_secret_value().partition("?")[0])
    assert tuple((await plain.fetch(TELL.text))[0]) == ("off", "0"), "nothing is left in the server's connections"
    await plain.close()


def test_a_synchronous_application_behind_the_pooler(settings: ReaderSettings) -> None:
    engine = create_sync_engine(settings)
    reads, writes = sync_session_factory(engine), sync_session_factory(engine, writable=True)
    for _ in range(10):  # from the fifth execution on psycopg would prepare a statement
        with reads() as session:
            assert session.execute(TELL).one() == ("on", "7s")
            assert sync.list_users(session).rows == []
    with writes.begin() as session:
        session.execute(INSERTS)
    with reads() as session, pytest.raises(ReadOnlySession):
        session.execute(INSERTS)
    engine.dispose()
