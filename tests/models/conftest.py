"""Engines as applications make them: they read as the role that `projector roles --sql` makes."""

from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, event
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.schema.roles import roles_sql
from neon_projector.models.engine import create_engine
from neon_projector.models.session import session_factory
from neon_projector.models.settings import DatabaseSettings, ReaderSettings
from neon_projector.models.sync_engine import create_sync_engine
from tests.models.rows import Sessions
from tests.support.servers import execute


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    """Of the owner of the tables."""
    engine = create_engine(DatabaseSettings(neon_database_url=SecretStr(database)))
    yield engine
    await engine.dispose()


@pytest.fixture
def writers(engine: AsyncEngine) -> Sessions:
    return session_factory(engine, writable=True)


@pytest.fixture
async def reading(database: str) -> AsyncIterator[ReaderSettings]:
    """How an application reaches the database, as a role that has nothing but the reader's rights."""
    address = urlsplit(database)
    role, login = f"reader {address.path[1:]}", f"login_{address.path[1:]}"
    await execute(database, roles_sql(role), roles_sql(role), f'CREATE ROLE {login} LOGIN; GRANT "{role}" TO {login}')
    url = address._replace(netloc=f"{login}@{address.netloc.rpartition('@')[2]}").geturl()
    yield ReaderSettings(neon_database_url=SecretStr(url))
    await execute(database, f'DROP OWNED BY "{role}"; DROP ROLE "{role}", {login}')


@pytest.fixture
async def reader(reading: ReaderSettings) -> AsyncIterator[AsyncEngine]:
    """An application's engine."""
    engine = create_engine(reading)
    yield engine
    await engine.dispose()


@pytest.fixture
def sessions(reader: AsyncEngine) -> Sessions:
    """An application's sessions."""
    return session_factory(reader)


@pytest.fixture
def sync_reader(reading: ReaderSettings) -> Iterator[Engine]:
    """A synchronous application's engine."""
    engine = create_sync_engine(reading)
    yield engine
    engine.dispose()


@pytest.fixture
def owner(database: str) -> Iterator[Engine]:
    """Of the owner of the tables."""
    engine = create_sync_engine(ReaderSettings(neon_database_url=SecretStr(database)))
    yield engine
    engine.dispose()


@pytest.fixture
def statements(reader: AsyncEngine) -> list[str]:
    """Every statement the application's engine has executed so far."""
    seen: list[str] = []
    event.listen(reader.sync_engine, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))
    return seen
