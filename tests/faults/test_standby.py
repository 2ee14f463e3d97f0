"""A server that takes no writes, and takes them later: waited out, and noticed at the next try."""

import asyncio
import os
from collections.abc import Iterator

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import event

from neon_projector.consumer.admin.operations.rights import require_tables
from neon_projector.consumer.cli.migrate import _migrate
from neon_projector.consumer.demo.servers.postgres import EmbeddedPostgres, embedded_postgres
from neon_projector.consumer.errors import FatalError
from neon_projector.consumer.offsets import store as positions
from neon_projector.models.settings import DatabaseSettings
from tests.races.stepping import GROUP, Writer
from tests.support.factories import a_user_event
from tests.support.servers import POSTGRES_OPTIONS, migrate_database

RECOVERY = "SELECT pg_is_in_recovery()"


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    with embedded_postgres((*POSTGRES_OPTIONS, "wal_level=replica")) as one:
        asyncio.run(migrate_database(one.url))
        yield one


async def test_a_standby_is_waited_for_until_it_is_promoted_and_may_be_looked_at_meanwhile(
    server: EmbeddedPostgres,
) -> None:
    writer = Writer(server.url, 0)
    await writer.write(await writer.batch([a_user_event()]))
    batch = await writer.batch([a_user_event()])
    operator = await asyncpg.connect(server.url)
    await operator.execute("CREATE DATABASE empty")
    await operator.close()
    await asyncio.to_thread(server.stop)
    signal = server.data / "standby.signal"
    signal.touch()
    os.chown(signal, server.data.stat().st_uid, -1)
    await asyncio.to_thread(server.start)
    begun = asyncio.Semaphore(0)
    event.listen(writer.engine.sync_engine, "begin", lambda _: begun.release())
    writing = asyncio.create_task(writer.write(batch))
    async with asyncio.timeout(60):
        for _ in range(4):
            await begun.acquire()  # it tries again and again, on connections that were made to a standby
        assert len(await positions.stored(writer.engine, GROUP)) == 1
        with pytest.raises(FatalError, match="takes no writes"):
            await _migrate(DatabaseSettings(neon_database_url=SecretStr(server.database_url("empty"))), check=False)
        with pytest.raises(FatalError, match="takes no writes: NEON_DATABASE_URL must name the primary"):
            await require_tables(writer.engine)
        operator = await asyncpg.connect(server.url)
        assert await operator.fetchval(RECOVERY)
        assert not writing.done()
        assert await operator.fetchval("SELECT pg_promote()")
        await writing
    assert await operator.fetchval("SELECT count(*) FROM users") == 2
    await operator.close()
    await writer.engine.dispose()
