"""Neon's traits from real parts. A server of their own: its log, its access rules and its connections are looked at."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from neon_projector.consumer.demo.servers.postgres import EmbeddedPostgres, embedded_postgres
from tests.support.certificates import Certificates, make_certificates
from tests.support.neon_proxy import NeonProxy, neon_proxy
from tests.support.pgbouncer import PgBouncer, pgbouncer
from tests.support.secure_neon import NAMES, SecureNeon, ask_for_scram, secure_neon
from tests.support.servers import POSTGRES_OPTIONS, migrate_database
from tests.support.world import World


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"), NAMES)


@pytest.fixture(scope="session")
def scram() -> Iterator[EmbeddedPostgres]:
    """A Postgres that asks for a password."""
    with embedded_postgres(POSTGRES_OPTIONS) as one:
        asyncio.run(ask_for_scram(one))
        yield one


@pytest.fixture
async def secure(scram: EmbeddedPostgres, certificates: Certificates) -> AsyncIterator[SecureNeon]:
    """A Neon with TLS and SCRAM."""
    async with secure_neon(scram, certificates) as one:
        yield one


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedPostgres]:
    """A Postgres that writes every statement to its log."""
    with embedded_postgres((*POSTGRES_OPTIONS, "log_statement=all", "log_line_prefix='%a@%d '")) as one:
        yield one


@pytest.fixture(scope="session")
def pooler(server: EmbeddedPostgres) -> Iterator[PgBouncer]:
    with pgbouncer(server) as one:
        yield one


@pytest.fixture
async def proxy(server: EmbeddedPostgres) -> AsyncIterator[NeonProxy]:
    async with neon_proxy(server.port) as one:
        yield one


@pytest.fixture
async def neon(kafka: str, server: EmbeddedPostgres) -> World:
    """A world whose migrated database is on `server`; its own URL is the direct one."""
    name = f"t{uuid4().hex[:8]}"
    connection = await asyncpg.connect(server.url)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    world = World(kafka, server.database_url(name), f"{name}-users", f"{name}-documents")
    await migrate_database(world.database_url)
    await world.create_topics(partitions=3)
    return world


def database_of(world: World) -> str:
    return world.database_url.rpartition("/")[2]


def statements(server: EmbeddedPostgres, world: World) -> list[str]:
    """The lines that the service's statements in `world` have left in the server's log."""
    log = Path(server.data.parent, "log").read_text()
    return [line for line in log.splitlines() if line.startswith(f"neon-projector@{database_of(world)} ")]
