"""Migrations that an application runs under the running service: each statement is prepared again, nobody is blamed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.races.stepping import Writer
from tests.support.factories import a_document_event, a_record, a_user_event
from tests.support.projector import eventually, running_projector
from tests.support.world import World

HARMLESS = {
    "a column of its own comes and goes": [
        "ALTER TABLE users ADD COLUMN note text NOT NULL DEFAULT ''", "ALTER TABLE users DROP COLUMN note",
    ],
    "another type and back": [
        "ALTER TABLE documents ALTER title TYPE text",
        "ALTER TABLE documents ALTER title TYPE varchar(255)",
        "ALTER TABLE users ALTER email TYPE text, ALTER name TYPE text",
        "CREATE DOMAIN a_title AS text CHECK (value <> ''); ALTER TABLE documents ALTER title TYPE a_title",
        "ALTER TABLE documents ALTER content TYPE varchar",
    ],
    "renamed and back at once": [
        "ALTER TABLE documents RENAME title TO headline; ALTER TABLE documents RENAME headline TO title",
        "ALTER TABLE users RENAME TO people; ALTER TABLE people RENAME TO users",
    ],
    "rewritten": [
        "VACUUM FULL users", "VACUUM FULL documents", "VACUUM FULL projector.absent_states",
        "CLUSTER users USING pk_users", "CLUSTER documents USING pk_documents",
    ],
    "a generated column": [
        "ALTER TABLE documents ADD COLUMN words integer GENERATED ALWAYS AS (length(title)) STORED",
        "ALTER TABLE users ADD COLUMN domain text GENERATED ALWAYS AS (split_part(email, '@', 2)) STORED",
    ],
    "indexes rebuilt": [
        "REINDEX TABLE CONCURRENTLY users", "REINDEX TABLE CONCURRENTLY documents",
        "ALTER INDEX uq_users_email RENAME TO one_address_each",
        "CREATE UNIQUE INDEX the_same_again ON users (email) INCLUDE (name)",
        "ALTER TABLE documents ADD CONSTRAINT owned_twice FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE",
    ],
    "attached as a partition": [
        "CREATE TABLE all_documents (LIKE documents) PARTITION BY LIST (title);"
        "ALTER TABLE all_documents ATTACH PARTITION documents DEFAULT",
    ],
    "emptied": ["TRUNCATE users, documents"],
}  # fmt: skip

Events = list[dict[str, Any]]


def everything() -> list[Events]:
    """Batches that need every statement: new, changed, moved, parked, released, contested, hidden, deleted."""
    ada, eve, notes, early = uuid4(), uuid4(), uuid4(), uuid4()
    mail = f"{ada.hex}@example.com"
    return [
        [a_document_event(id=early, owner=ada), a_user_event("updated", eve, 2, name="Early")],
        [a_user_event(id=ada, email=mail), a_user_event(id=eve)],
        [a_document_event(id=notes, owner=ada), a_user_event(email=mail)],
        [a_document_event("updated", notes, 2, title="Two"), a_user_event("updated", ada, 2, email=f"x{mail}")],
        [a_document_event("ownership_transferred", notes, 3, from_user_id=ada, to_user_id=eve)],
        [a_user_event(id=eve, version=3, name="Eve", email=f"y{mail}")],
        [a_user_event("deleted", ada, 3), a_document_event("deleted", notes, 4)],
    ]


@pytest.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.mark.parametrize("name", HARMLESS)
async def test_a_migration_under_the_service_costs_nothing(
    database: str, connection: asyncpg.Connection, name: str
) -> None:
    writer = Writer(database, 0, new_from=1)
    async with asyncio.timeout(60):
        for statement in ("SELECT", *HARMLESS[name]):
            for single in statement.split(";") if "VACUUM" in statement else [statement]:
                await connection.execute(single)
            rows = await connection.fetchval("SELECT count(*) FROM users")
            for events in everything():
                await writer.write(await writer.batch(events))
            assert await connection.fetchval("SELECT count(*) FROM users") == rows + 2, statement
    assert await connection.fetch("SELECT reason, error FROM projector.dead_letters") == []
    open_ = "SELECT count(*) FROM projector.absent_states WHERE reason IN ('no_parent', 'contested', 'refused')"
    assert await connection.fetchval(open_) == 0
    await writer.engine.dispose()


async def test_a_reindex_that_waits_for_a_reader_blames_nobody(database: str, connection: asyncpg.Connection) -> None:
    """While it waits there are two indexes on the address, and a violation may name the copy (`…_ccnew`)."""
    writer = Writer(database, 0, new_from=1)
    reader, looking = await asyncpg.connect(database), await asyncpg.connect(database)
    await writer.write(await writer.batch([a_user_event(email=f"{n}@example.com") for n in range(20)]))
    async with reader.transaction(isolation="repeatable_read"):
        await reader.fetchval("SELECT count(*) FROM users")
        reindex = asyncio.create_task(connection.execute("REINDEX INDEX CONCURRENTLY uq_users_email"))
        async with asyncio.timeout(30):
            while not await looking.fetchval("SELECT count(*) FROM pg_class WHERE relname LIKE 'uq_users_email_cc%'"):
                await asyncio.sleep(0.05)
            for number in range(3):  # twice the same address in a batch, then one that another has
                await writer.write(
                    await writer.batch([a_user_event(email=f"{number}{n // 2}@x.org") for n in range(20)])
                )
                await writer.write(await writer.batch([a_user_event(email=f"{n}@example.com") for n in range(10)]))
    await reindex
    assert await connection.fetchval("SELECT count(*) FROM users") == 50
    assert await connection.fetchval("SELECT count(*) FROM projector.absent_states WHERE reason = 'contested'") == 60
    assert await connection.fetch("SELECT error FROM projector.dead_letters") == []
    await reader.close()
    await looking.close()
    await writer.engine.dispose()


async def test_a_renamed_column_is_waited_for_and_seen(world: World) -> None:
    await world.create_topics()
    ada = UUID(int=1)
    with running_projector(world.settings) as projector:
        await world.publish([a_record(a_user_event(id=ada))])
        await world.until_consumed(1)
        await world.rows("ALTER TABLE users RENAME name TO full_name")
        await world.publish([a_record(a_user_event("updated", ada, 2, name="Grace"))])
        await asyncio.to_thread(eventually, "readiness", lambda: "SQLSTATE 42703" in projector.get("/health/ready")[1])
        assert 'projector_retries_total{reason="schema"}' in projector.get("/metrics")[1]
        await world.rows("ALTER TABLE users RENAME full_name TO name")
        await world.until("SELECT name FROM users", "Grace")
        await asyncio.to_thread(eventually, "readiness", lambda: projector.get("/health/ready")[0] == 200)
        assert projector.terminate() == 0
    assert await world.value("SELECT count(*)::int FROM projector.dead_letters") == 0


async def test_a_conflict_that_does_not_end_is_seen_while_it_lasts_and_then_named(world: World) -> None:
    await world.create_topics()
    await world.rows(
        "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RETURN CASE WHEN NEW.name <> 'Mallory' THEN NEW END; END $$"
    )
    await world.rows("CREATE TRIGGER swallowing BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION swallow()")
    users = [a_user_event(name="Mallory" if n == 5 else "Ada") for n in range(10)]
    with running_projector(world.settings) as projector:
        await world.publish([a_record(user) for user in users])
        await asyncio.to_thread(
            eventually, "readiness", lambda: "as it was written" in projector.get("/health/ready")[1]
        )
        await world.until_consumed(10)
        await asyncio.to_thread(eventually, "readiness", lambda: projector.get("/health/ready")[0] == 200)
        assert projector.terminate() == 0
        logged = projector.logged()
    (letter,) = await world.rows('SELECT "offset", error FROM projector.dead_letters')
    assert letter["offset"] == 5
    assert letter["error"].endswith("table public.users, triggers swallowing")
    assert await world.value("SELECT count(*)::int FROM users") == 9
    (line,) = [line for line in logged.splitlines() if "it is a dead letter now" in line]
    assert f'"topic":"{world.users}"' in line.replace(": ", ":")
    assert '"offset":5' in line.replace(": ", ":")
    assert "swallowing" in line
