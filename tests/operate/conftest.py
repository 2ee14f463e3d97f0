"""Worlds that are filled once; each test has a copy of the database, beside the same topics."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from tests.conftest import TEMPLATE, database_url
from tests.operate.place import Place
from tests.operate.replaying import fill
from tests.support.servers import execute
from tests.support.world import World


@pytest.fixture(scope="session")
def filled_once(kafka: str, postgres: str) -> Iterator[World]:
    """Whose service has applied records of every kind, and is not running."""
    name = f"filled_{uuid4().hex[:8]}"
    asyncio.run(execute(postgres, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
    world = World.of_its_own(kafka, database_url(postgres, name))
    asyncio.run(fill(world))
    yield world
    asyncio.run(execute(postgres, f"DROP DATABASE {name} (FORCE)"))


@pytest.fixture
async def filled(filled_once: World, postgres: str) -> AsyncIterator[World]:
    """A copy of that one's database. Its topics are shared: a test may add to them, and must not delete from them."""
    name = f"copy_{uuid4().hex[:8]}"
    original = urlsplit(filled_once.database_url).path[1:]
    await execute(postgres, f"CREATE DATABASE {name} TEMPLATE {original}")
    yield replace(filled_once, database_url=database_url(postgres, name))
    await execute(postgres, f"DROP DATABASE {name} (FORCE)")


@pytest.fixture
async def place(database: str) -> AsyncIterator[Place]:
    """Nothing counted yet."""
    one = Place(database)
    await one.rows("CREATE TABLE steps (n integer)")
    yield one
    await one.engine.dispose()
