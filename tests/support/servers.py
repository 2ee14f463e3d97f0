"""Where broker and database come from: the environment, else containers, else servers of our own."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
from pydantic import SecretStr

from neon_projector.consumer.demo.servers.postgres import embedded_postgres
from neon_projector.consumer.schema.migrate import upgrade
from neon_projector.models.engine import create_direct_engine
from neon_projector.models.settings import DatabaseSettings
from tests.support.kafka import local_kafka

POSTGRES_OPTIONS = ("fsync=off", "max_connections=200", "wal_level=minimal", "max_wal_senders=0")


@contextmanager
def kafka_server() -> Iterator[str]:
    """The address of a Kafka for the tests."""
    if given := os.environ.get("TEST_KAFKA_BOOTSTRAP_SERVERS"):
        yield given
    elif docker_answers():
        from tests.support.containers import kafka_container

        with kafka_container() as bootstrap:
            yield bootstrap
    else:
        with local_kafka() as kafka:
            yield kafka.bootstrap


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of a Postgres database where the tests may create others."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield given
    elif docker_answers():
        from tests.support.containers import postgres_container

        with postgres_container(POSTGRES_OPTIONS) as url:
            yield url
    else:
        with embedded_postgres(POSTGRES_OPTIONS) as server:
            yield server.url


async def migrate_database(url: str) -> None:
    """Bring the schema of the database at `url` to the newest revision."""
    engine = create_direct_engine(DatabaseSettings(neon_database_url=SecretStr(url)))
    await upgrade(engine)
    await engine.dispose()


async def execute(url: str, *scripts: str) -> None:
    """Run these in the database at `url`, over one connection."""
    connection = await asyncpg.connect(url)
    try:
        for script in scripts:
            await connection.execute(script)
    finally:
        await connection.close()


async def fetched(url: str, query: str, *arguments: Any) -> list[dict[str, Any]]:
    """The rows that `query` finds in the database at `url`, over a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        return [dict(row) for row in await connection.fetch(query, *arguments)]
    finally:
        await connection.close()


def docker_answers() -> bool:
    """Whether a Docker engine (not only its client) is there."""
    try:
        done = subprocess.run(["docker", "version"], capture_output=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
