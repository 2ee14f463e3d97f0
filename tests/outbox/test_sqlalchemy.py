"""The example for SQLAlchemy in docs/outbox.md."""

import importlib.util
import json
from types import ModuleType
from typing import Any

import asyncpg
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from tests.outbox.source import EXAMPLES
from tests.support.servers import execute


def example(name: str) -> ModuleType:
    """A file of docs/examples/outbox as a module."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def app() -> ModuleType:
    return example("with_sqlalchemy")


async def test_each_change_of_the_session_is_an_event_with_the_next_version_and_a_bulk_update_is_none(
    app: ModuleType, empty_database: str
) -> None:
    await execute(empty_database, (EXAMPLES / "outbox.sql").read_text())
    engine = create_async_engine(empty_database.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        await connection.run_sync(app.User.__table__.create)
    async with AsyncSession(engine, expire_on_commit=False) as session:
        user = app.User(email="ada@example.com", name="Ada")
        session.add(user)
        await session.commit()
        user.name = "Ada"  # nothing new
        await session.commit()
        user.name = "Ada Lovelace"
        await session.commit()
        user.name = "nobody"
        await session.flush()
        await session.rollback()
        await session.refresh(user)
        await session.execute(update(app.User).values(name="bypassed"))
        await session.commit()
        await session.delete(user)
        await session.commit()
    await engine.dispose()
    events = await written(empty_database)
    assert [(type_, data["version"], data.get("name")) for type_, data in events] == [
        ("user.created", 1, "Ada"),
        ("user.updated", 2, "Ada Lovelace"),
        ("user.deleted", 3, None),
    ]


async def written(url: str) -> list[tuple[str, dict[str, Any]]]:
    """Types and data of what is in the outbox, in order."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT type, payload FROM outbox ORDER BY created_at")
        return [(row["type"], json.loads(row["payload"])) for row in rows]
    finally:
        await connection.close()
