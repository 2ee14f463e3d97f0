"""Each test has its own topics and its own database, on servers that all tests share."""

import asyncio
import itertools
import signal
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import pytest
from hypothesis import settings

from neon_projector.consumer.demo.servers.postgres import EmbeddedPostgres, embedded_postgres
from tests.support.servers import POSTGRES_OPTIONS, execute, kafka_server, migrate_database, postgres_server
from tests.support.world import World

TEMPLATE = "projector_template"
_numbers = itertools.count(1)


def pytest_configure() -> None:
    """Take SIGINT as a terminal sends it: what a shell starts with `&` ignores it, and so do its children. An example
    of a property has no time limit: beside servers that start, any may take 200 ms."""
    settings.register_profile("no deadline", deadline=None)
    settings.load_profile("no deadline")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """The bootstrap servers of a real Kafka."""
    with kafka_server() as bootstrap:
        yield bootstrap


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a real Postgres, where a migrated template database stands ready."""
    with postgres_server() as url:
        asyncio.run(_make_template(url))
        yield url


async def _make_template(url: str) -> None:
    await execute(url, f"DROP DATABASE IF EXISTS {TEMPLATE}", f"CREATE DATABASE {TEMPLATE}")
    await migrate_database(database_url(url, TEMPLATE))


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    """A Postgres of the test's own, to be stopped and started."""
    with embedded_postgres(("fsync=on", *POSTGRES_OPTIONS[1:])) as postgres:
        yield postgres


@pytest.fixture
async def empty_database(postgres: str) -> AsyncIterator[str]:
    """The URL of a database in which nothing stands."""
    async for url in _database(postgres, "template0"):
        yield url


@pytest.fixture
async def database(postgres: str) -> AsyncIterator[str]:
    """The URL of a migrated, empty database."""
    async for url in _database(postgres, TEMPLATE):
        yield url


async def _database(server: str, template: str) -> AsyncIterator[str]:
    name = f"test_{next(_numbers)}"
    await execute(server, f"DROP DATABASE IF EXISTS {name} (FORCE)", f"CREATE DATABASE {name} TEMPLATE {template}")
    yield database_url(server, name)
    await execute(server, f"DROP DATABASE {name} (FORCE)")


@pytest.fixture
def world(kafka: str, database: str) -> World:
    """Topics (to be created) and a database of the test's own."""
    return World.of_its_own(kafka, database)


def database_url(server: str, name: str) -> str:
    return urlsplit(server)._replace(path=f"/{name}").geturl()
