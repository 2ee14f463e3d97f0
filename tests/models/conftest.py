"""An engine as applications make it."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.models.engine import create_engine
from neon_projector.models.session import session_factory
from neon_projector.models.settings import DatabaseSettings
from tests.models.rows import Sessions


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(DatabaseSettings(neon_database_url=SecretStr(database)))
    yield engine
    await engine.dispose()


@pytest.fixture
def sessions(engine: AsyncEngine) -> Sessions:
    return session_factory(engine)


@pytest.fixture
def statements(engine: AsyncEngine) -> list[str]:
    """Every statement the engine has executed so far."""
    seen: list[str] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))
    return seen
