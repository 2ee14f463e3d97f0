"""The change log: whoever writes, what has changed is in it; off, there is none; and it is kept without a gap."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import text

from neon_projector.consumer.apply.maintenance import _FORGET, Maintenance
from neon_projector.consumer.schema import giving_way
from tests.faults.test_altered_tables import everything
from tests.operate.commands import failed, printed, told
from tests.races.stepping import Writer
from tests.service.test_meaning import ADA
from tests.support.factories import a_user_event
from tests.support.projector import eventually, running_projector
from tests.support.world import World

Rows = dict[tuple[str, UUID], Any]
THOUSAND = "SELECT gen_random_uuid() AS id, 'Ada' AS name, now() AS at FROM generate_series(1, 2500)"
NEW_USERS = (
    "INSERT INTO users (id, email, name, created_at, updated_at, version) "
    f"SELECT id, id || '@x.org', name, at, at, 1 FROM ({THOUSAND}) n"
)
BY_HAND = {
    "rows of many": NEW_USERS,
    "an update of all": "UPDATE users SET name = 'Grace'",
    "an upsert that inserts and updates": NEW_USERS
    + " UNION ALL (SELECT id, email, 'Eve', created_at, updated_at, 2 FROM users LIMIT 3)"
    " ON CONFLICT (id) DO UPDATE SET name = excluded.name",
    "as a replica": "SET session_replication_role = replica; UPDATE users SET is_active = false; "
    "SET session_replication_role = origin",
    "a deletion that takes documents with it": "DELETE FROM users WHERE id IN (SELECT user_id FROM documents)",
    "a change that is undone in part": "DO $$ BEGIN UPDATE users SET version = 7 WHERE email LIKE 'a%'; BEGIN "
    "UPDATE users SET version = 8; RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN NULL; END; END $$",
    "an empty table": "TRUNCATE users, documents",
}


@pytest.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


def of(database: str) -> World:
    """Commands that ask the database only."""
    return World.of_its_own("127.0.0.1:1", database)


async def rows(connection: asyncpg.Connection) -> Rows:
    found = await connection.fetch(
        "SELECT 'users' AS name, id, to_jsonb(u) - 'x' AS row FROM users u "
        "UNION ALL SELECT 'documents', id, to_jsonb(d) FROM documents d"
    )
    return {(row["name"], row["id"]): row["row"] for row in found}


async def noted(connection: asyncpg.Connection, after: int = 0) -> set[tuple[str, UUID]]:
    found = await connection.fetch("SELECT table_name, unnest(ids) FROM projector.changes WHERE number > $1", after)
    return {(row[0], row[1]) for row in found}


async def test_whoever_writes_what_has_changed_is_noted(database: str, connection: asyncpg.Connection) -> None:
    assert await told(of(database), "changes", "enable") == {"changed": True}
    writer, rounds = Writer(database, 0), 0

    async def one(write: Any) -> None:
        nonlocal rounds
        before, last = await rows(connection), await connection.fetchval("SELECT max(number) FROM projector.changes")
        await write()
        after = await rows(connection)
        differ = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        assert differ <= await noted(connection, last)
        rounds += bool(differ)

    for events in everything() + everything():
        batch = await writer.batch(events)
        await one(lambda batch=batch: writer.write(batch))
    for statement in BY_HAND.values():
        await one(lambda statement=statement: connection.execute(statement))
    assert rounds >= 10 + len(BY_HAND), "most batches, and each statement, change something"
    assert await connection.fetchval("SELECT max(size) FROM projector.changes") == 1000
    wrong = "SELECT count(*) FROM projector.changes WHERE size <> cardinality(ids) OR size = 0 AND xid > 0"
    assert await connection.fetchval(wrong) == 0
    await writer.engine.dispose()


async def test_what_is_left_out_by_its_version_is_not_noted(database: str, connection: asyncpg.Connection) -> None:
    writer = Writer(database, 0)
    await writer.write(await writer.batch([a_user_event(id=ADA, version=3)]))
    await told(of(database), "changes", "enable")
    await writer.write(await writer.batch([a_user_event(id=ADA, version=2), a_user_event(id=ADA, version=3)]))
    assert await noted(connection) == set()
    await writer.engine.dispose()


async def test_off_nothing_is_noted_and_on_again_the_log_begins_anew(
    database: str, connection: asyncpg.Connection
) -> None:
    world = of(database)
    assert "off: no changes are noted" in await printed(world, "changes", "status")
    await connection.execute(NEW_USERS)
    assert await connection.fetchval("SELECT count(*) FROM projector.changes") == 0
    for changed in (True, False):
        assert await told(world, "changes", "enable") == {"changed": changed}
    await connection.execute(NEW_USERS)
    status = await told(world, "changes", "status")
    assert (status["on"], status["off"]) == (["public.users", "public.documents"], [])
    assert (status["rows"], status["ids"], status["held_back"]) == (3, 2500, 0)
    for changed in (True, False):
        assert await told(world, "changes", "disable") == {"changed": changed}
    assert await connection.fetchval("SELECT count(*) FROM projector.changes") == 0
    await connection.execute("DELETE FROM users")
    assert await told(world, "changes", "enable") == {"changed": True}
    assert [tuple(row) for row in await connection.fetch("SELECT xid, size FROM projector.changes")] == [(0, 0)]
    done = await connection.fetch("SELECT command FROM projector.operations ORDER BY id")
    assert [row[0] for row in done] == ["changes enable", "changes disable", "changes enable"]


async def test_disable_gives_way_to_a_long_report_and_names_it(
    database: str, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving_way, "PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(giving_way, "PATIENCE_SECONDS", 0)
    async with connection.transaction():
        await connection.execute("SELECT FROM users")
        assert await told(of(database), "changes", "enable") == {"changed": True}  # keeps out only who writes
        error = await failed(of(database), "changes", "disable")
        assert f"SELECT pg_terminate_backend({connection.get_server_pid()})" in str(error)
    assert await told(of(database), "changes", "disable") == {"changed": True}


@pytest.mark.parametrize("harm", ["DISABLE TRIGGER projector_notes_update", "DISABLE TRIGGER ALL"])
async def test_a_trigger_that_is_switched_off_is_told_and_enable_mends_it(
    database: str, connection: asyncpg.Connection, harm: str
) -> None:
    world = of(database)
    await told(world, "changes", "enable")
    await connection.execute(f"ALTER TABLE users {harm}")
    assert (await told(world, "changes", "status", exit_status=1))["off"] == ["public.users"]
    assert "changes of public.users are not noted" in await printed(world, "changes", "status")
    assert await told(world, "changes", "enable") == {"changed": True}
    assert (await told(world, "changes", "status"))["off"] == []


async def test_who_writes_by_hand_needs_no_right_on_the_log(database: str, connection: asyncpg.Connection) -> None:
    await told(of(database), "changes", "enable")
    role = f"writes_by_hand_{uuid4().hex[:8]}"
    await connection.execute(f"CREATE ROLE {role} LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON users TO {role}")
    server = urlsplit(database)
    theirs = await asyncpg.connect(server._replace(netloc=f"{role}@{server.netloc.rpartition('@')[2]}").geturl())
    try:
        await theirs.execute(NEW_USERS)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await theirs.execute("DELETE FROM projector.changes")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):  # nor can it write there through a table of its own
            await theirs.execute(
                "CREATE TEMP TABLE mine (id uuid); CREATE TRIGGER forging AFTER TRUNCATE ON mine "
                "FOR EACH STATEMENT EXECUTE FUNCTION projector.note_changes()"
            )
        assert len(await noted(connection)) == 2500
    finally:
        await theirs.close()
        await connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


async def test_a_log_that_cant_be_written_is_waited_for_and_no_record_is_blamed(world: World) -> None:
    await world.create_topics()
    await told(world, "changes", "enable")
    with running_projector(world.settings) as projector:
        await world.publish_users(1)
        await world.until_consumed(1)
        await world.rows("ALTER TABLE projector.changes RENAME TO mislaid")
        await world.publish_users(3)
        ready = "/health/ready"
        await asyncio.to_thread(eventually, "readiness", lambda: "the change log" in projector.get(ready)[1])
        await world.rows("ALTER TABLE projector.mislaid RENAME TO changes")
        await world.until_consumed(4)
        assert projector.terminate() == 0
    assert await world.value("SELECT count(*)::int FROM projector.dead_letters") == 0
    assert await world.value("SELECT sum(size)::int FROM projector.changes") == 4


async def test_what_is_over_its_time_goes_from_the_beginning_and_without_a_gap(
    database: str, connection: asyncpg.Connection
) -> None:
    """A row that is not over its time keeps all behind it, and the one before it, which a follower has read last that
    was never away. So do a transaction that is still open, and the newest."""
    await told(of(database), "changes", "enable")
    for _ in range(6):
        await connection.execute("INSERT INTO documents SELECT * FROM documents WHERE false")
        await connection.execute(f"{NEW_USERS} LIMIT 1")
    old = "UPDATE projector.changes SET at = now() - interval '3 hours'"
    numbers = [row[0] for row in await connection.fetch("SELECT number FROM projector.changes ORDER BY xid, number")]
    await connection.execute(f"{old} WHERE number <> $1", numbers[3])
    assert await kept(database, connection) == numbers[2:]
    await connection.execute(old)
    open_one = await asyncpg.connect(database)
    async with open_one.transaction():
        await open_one.execute(f"{NEW_USERS} LIMIT 1")
        late = await connection.fetchval("SELECT txid_current()")
        await connection.execute(f"{NEW_USERS} LIMIT 1")
        await connection.execute(old)
        rest = await kept(database, connection)
        assert rest[0] == numbers[-1], "the newest that followers may have read"
        assert len(rest) == 2
    await open_one.close()
    await connection.execute(old)
    assert len(await kept(database, connection)) == 1
    assert await connection.fetchval("SELECT min(xid) FROM projector.changes") > late


async def test_a_log_that_has_grown_long_gets_short_again(database: str, connection: asyncpg.Connection) -> None:
    await told(of(database), "changes", "enable")
    await connection.execute(
        "INSERT INTO projector.changes (xid, table_name, size, ids, at) "
        "SELECT 1, 'users', 0, '{}', now() - interval '2 hours' FROM generate_series(1, 25_000)"
    )
    writer, maintenance, left = Writer(database, 0), Maintenance(604_800, 1), []
    async with writer.engine.connect() as own:
        plan = await own.execute(text(f"EXPLAIN {_FORGET.text}"), {"hours": 1, "at_once": 10_000})
        assert "Tid Scan on changes" in str(plan.all()), "it deletes what it has found, and does not read the whole log"
    for _ in range(3):
        async with writer.engine.begin() as own:
            await maintenance.run_due(own)
        left.append(await connection.fetchval("SELECT count(*) FROM projector.changes"))
    await writer.engine.dispose()
    assert left == [15_001, 5_001, 1]


async def kept(database: str, connection: asyncpg.Connection) -> list[int]:
    """The numbers that are left after the service has removed what is older than an hour, twice at the same time."""
    writer = Writer(database, 0)
    maintenance = [Maintenance(604_800, 1) for _ in range(2)]

    async def removed(one: Maintenance) -> None:
        async with writer.engine.begin() as own:
            await one.run_due(own)

    await asyncio.gather(*map(removed, maintenance))
    await writer.engine.dispose()
    found = await connection.fetch("SELECT number FROM projector.changes ORDER BY xid, number")
    return [row[0] for row in found]
