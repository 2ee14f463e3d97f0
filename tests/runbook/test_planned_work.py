"""Planned work as the runbook says it, word by word, under the running service."""

import asyncio
import os
import re
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from neon_projector.consumer.demo.servers.postgres import EmbeddedPostgres
from tests.support.projector import Projector, eventually, running_projector
from tests.support.runbook import Operator, section
from tests.support.servers import execute, migrate_database
from tests.support.world import World

RUNBOOK = "runbook.md"
SECONDS = 90
PARTITIONS = 3
ACCESS = """
host all postgres 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""
ROTATE = "Rotate the database's password"


@pytest.fixture
async def world(kafka: str, server: EmbeddedPostgres) -> World:
    """On a server that asks the user `keeper`, who owns the tables, for a password, which is `old`."""
    (server.data / "pg_hba.conf").write_text(ACCESS)
    rights = "GRANT CREATE ON DATABASE postgres TO keeper; GRANT CREATE ON SCHEMA public TO keeper"
    await execute(server.url, f"CREATE ROLE keeper CREATEROLE LOGIN PASSWORD 'old'; {rights}; SELECT pg_reload_conf()")
    world = World.of_its_own(kafka, server.url)
    await migrate_database(with_password(world, "old")["NEON_DATABASE_URL"])
    await world.create_topics(PARTITIONS)
    return world


def with_password(world: World, password: str, role: str = "keeper") -> dict[str, str]:
    url = world.database_url.replace("postgres@", f"{role}:{password}@")
    return world.settings | {"NEON_DATABASE_URL": url}


def statements() -> list[str]:
    """The runbook's way to a second role, from `keeper` to `deputy`, whose password is `new`."""
    lines = re.findall(r"^    (\w+ .+;)$", section(RUNBOOK, ROTATE), re.MULTILINE)
    names = {"first": "keeper", "second": "deputy", "…": "new"}
    return [re.sub("|".join(names), lambda found: names[found[0]], line) for line in lines]


def all_read(*instances: Projector) -> bool:
    """Whether all partitions are read, and each of the instances has its part."""
    numbers = [len(one.status().get("partitions", ())) for one in instances]
    return sum(numbers) == 2 * PARTITIONS and all(numbers)


async def rotated(world: World) -> None:
    """The database's password, under the running service."""
    with running_projector(with_password(world, "old")) as projector:
        await world.publish_users(5)
        await world.until_consumed(5, SECONDS)
        await execute(world.database_url, "ALTER ROLE keeper PASSWORD 'new'")
        await world.publish_users(5)
        await world.until_consumed(10, SECONDS)  # open connections go on
        await execute(
            world.database_url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'keeper'"
        )
        await world.publish_users(5)
        assert projector.process.wait(SECONDS) == 3
        (said,) = re.findall(r"`(the database refuses .+?)`", section(RUNBOOK, ROTATE))
        assert said in projector.logged().splitlines()[-1]
    with running_projector(with_password(world, "new")) as projector:
        await world.until_consumed(15, SECONDS)
        *takes_over, disowns, drops = statements()
        await execute(with_password(world, "new")["NEON_DATABASE_URL"], *takes_over)
        await world.publish_users(5)
        await world.until_consumed(20, SECONDS)  # whoever runs as the first role goes on
        assert projector.terminate(SECONDS) == 0
    with running_projector(with_password(world, "new", "deputy")) as projector:
        await execute(world.database_url, disowns, drops)
        await world.publish_users(5)
        await world.until_consumed(25, SECONDS)
        operator = Operator(world, with_password(world, "new", "deputy"))
        assert "nobody" not in await operator.does(RUNBOOK, ROTATE, "projector status --partitions")
        assert projector.terminate(SECONDS) == 0


async def moved(world: World, server: EmbeddedPostgres, home: Path) -> World:
    """To another database, by a dump."""
    await execute(server.url, "CREATE DATABASE elsewhere")
    there = replace(world, database_url=server.database_url("elsewhere"))
    heading = "Move to another Neon project"
    lines = re.findall(r"^ +(pg_\w+ .+)$", section(RUNBOOK, heading), re.MULTILINE)
    assert [line.split()[0] for line in lines] == ["pg_dump", "pg_restore"]
    environment = {
        "PATH": f"{server.binaries}:{os.environ['PATH']}",
        "OLD_DATABASE_URL": world.database_url,
        "NEW_DATABASE_URL": there.database_url,
    }
    for line in lines:
        done = await asyncio.create_subprocess_shell(line, env=environment, cwd=home)
        assert await done.wait() == 0, line
    operator = Operator(there, there.settings)
    await operator.does(RUNBOOK, heading, "projector migrate", more="--check")
    with running_projector(there.settings) as projector:
        await world.publish_users(5)
        await there.until_consumed(30, SECONDS)
        assert "OK" in await operator.does(RUNBOOK, heading, "projector status")
        await operator.does(RUNBOOK, heading, "projector verify")
        assert projector.terminate(SECONDS) == 0
    assert await there.value("SELECT count(*)::int FROM users") == 30
    assert await world.value("SELECT count(*)::int FROM users") == 25
    return there


async def scaled(world: World) -> None:
    """From one instance to three, and back."""
    operator, heading = Operator(world, world.settings), "Scale out and in"
    with ExitStack() as stack:
        one = stack.enter_context(running_projector(world.settings))
        eventually("one reads all", lambda: all_read(one), SECONDS)
        others = [stack.enter_context(running_projector(world.settings)) for _ in range(2)]
        eventually("three share", lambda: all_read(one, *others), SECONDS)
        await world.publish_users(5)
        await operator.does(RUNBOOK, heading, "projector status --partitions")
        assert [other.terminate(SECONDS) for other in others] == [0, 0]
        eventually("one reads all again", lambda: all_read(one), SECONDS)
        await world.publish_users(5)
        await world.until_consumed(40, SECONDS)
        assert one.terminate(SECONDS) == 0
    assert await world.value("SELECT count(*)::int FROM users") == 40


async def test_a_password_is_rotated_a_database_moved_and_a_service_scaled_as_the_runbook_says(
    world: World, server: EmbeddedPostgres, tmp_path: Path
) -> None:
    await rotated(world)
    await scaled(await moved(world, server, tmp_path))
