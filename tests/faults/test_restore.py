"""The database is put back to an earlier moment while the service is idle: one event brings back all partitions."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import asyncpg
import pytest
from aiokafka import TopicPartition

from neon_projector.consumer.offsets.claim import Claim
from neon_projector.consumer.offsets.position_check import Known, PositionCheck, moved, set_back
from tests.operate.commands import told
from tests.support.factories import a_document_event, a_record
from tests.support.projector import Projector, eventually, running_projector
from tests.support.world import World

TABLES = ("users", "documents", "projector.offsets", "projector.absent_states", "projector.parked_events")
USERS = "SELECT count(*)::int FROM users"
CUT = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
PARTITIONS = 6


def copy_of(table: str) -> str:
    return f"copy_of_{table.partition('.')[2] or table}"


async def remember(world: World) -> None:
    connection = await asyncpg.connect(world.database_url)
    for table in TABLES:
        await connection.execute(f"DROP TABLE IF EXISTS {copy_of(table)}")
        await connection.execute(f"CREATE TABLE {copy_of(table)} AS SELECT * FROM {table}")
    await connection.close()


async def put_back(world: World) -> None:
    """Behind a pooler the service may not see that its server is another one: its connections live on."""
    connection = await asyncpg.connect(world.database_url)
    async with connection.transaction():
        await connection.execute(f"TRUNCATE {', '.join(TABLES)}")
        for table in TABLES:
            await connection.execute(f"INSERT INTO {table} SELECT * FROM {copy_of(table)}")
    await connection.close()


async def put_back_and_cut(world: World) -> None:
    await put_back(world)
    await world.value(CUT)


async def take_the_place(world: World) -> None:
    """The same as seen from outside: another database has the name, as it was when it was copied."""
    address = urlsplit(world.database_url)
    name = address.path.removeprefix("/")
    await put_back(world)
    connection = await asyncpg.connect(address._replace(path="/postgres").geturl())
    for statement in (
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
        f"ALTER DATABASE {name} RENAME TO {name}_before",
        f"CREATE DATABASE {name} TEMPLATE {name}_before",
        f"DROP DATABASE {name}_before (FORCE)",
    ):
        await connection.execute(statement)
    await connection.close()


WAYS: tuple[Callable[[World], Awaitable[None]], ...] = (put_back, put_back_and_cut, take_the_place)


def warnings(projector: Projector) -> list[dict[str, str]]:
    said = [json.loads(line) for line in projector.logged().splitlines()]
    return [one for one in said if "forgotten" in one["message"]]


async def test_one_event_brings_back_what_a_restored_database_has_lost_of_all_partitions(world: World) -> None:
    await world.create_topics(PARTITIONS)
    there = 0
    with running_projector(world.settings | {"LOG_FORMAT": "json"}) as projector:
        for number, way in enumerate(WAYS, start=1):
            await world.publish_users(20)
            await world.until(USERS, there + 20)
            await remember(world)
            await world.publish_users(40)
            await world.until(USERS, there + 60)
            await world.until_quiet(1.2)
            await way(world)
            assert await world.value(USERS) == there + 20
            there += 60
            owner = await world.value("SELECT id FROM users LIMIT 1")
            await world.publish([a_record(a_document_event(owner=owner))])  # of a topic that has lost nothing
            await world.until(USERS, there)
            await world.until("SELECT count(*)::int FROM documents", number)
            assert len(warnings(projector)) == number, way
            assert len(warnings(projector)[-1]["partitions"]) >= PARTITIONS - 1, "all that had lost something"
            status, _ = await asyncio.to_thread(projector.get, "/health/ready")
            assert status == 200
        assert (await told(world, "verify"))["verdict"] == "equal"
    totals = await world.totals()
    assert (totals["applied"], totals["rejected"]) == (there + len(WAYS), 0)


async def test_instances_that_have_no_event_are_told_by_the_one_that_has(world: World) -> None:
    await world.create_topics(PARTITIONS)
    with running_projector(world.settings) as one, running_projector(world.settings) as other:

        def shared() -> bool:
            numbers = [len(projector.status().get("partitions", ())) for projector in (one, other)]
            return sum(numbers) == 2 * PARTITIONS and all(numbers)

        await asyncio.to_thread(eventually, "both have partitions", shared)
        await world.publish_users(40)
        await world.until(USERS, 40)
        await remember(world)
        await world.publish_users(40)
        await world.until(USERS, 80)
        await world.until_quiet(1.2)
        await put_back_and_cut(world)
        await world.publish_users(1)
        await world.until(USERS, 81)


HERE, THERE = TopicPartition("users", 0), TopicPartition("users", 1)
KNOWN = {HERE: Known(10, 3), THERE: Known(20, 3)}


@pytest.mark.parametrize(
    ("stored", "differ", "lost"),
    [
        ({HERE: Claim(10, 3), THERE: Claim(20, 3)}, set(), set()),
        ({HERE: Claim(11, 3), THERE: Claim(20, 3)}, set(), set()),
        ({HERE: Claim(9, 3), THERE: Claim(20, 3)}, {HERE}, {HERE}),
        ({HERE: Claim(10, 4), THERE: Claim(20, 2)}, {HERE, THERE}, set()),
        ({HERE: Claim(10, 3)}, {THERE}, {THERE}),
    ],
    ids=["the same", "moved on by ourselves", "put back", "claimed by another, or before our claim", "gone"],
)
def test_what_counts_as_moved(
    stored: dict[TopicPartition, Claim], differ: set[TopicPartition], lost: set[TopicPartition]
) -> None:
    assert (moved(KNOWN, stored), set_back(KNOWN, stored)) == (differ, lost)


def test_it_is_compared_at_once_after_a_new_connection_and_else_once_a_second() -> None:
    check = PositionCheck("group", lambda: KNOWN)
    assert check.due()
    check.passed()
    assert not check.due()
    check.connected()
    assert check.due()
    assert not PositionCheck("group", dict).due(), "nothing is known yet"
