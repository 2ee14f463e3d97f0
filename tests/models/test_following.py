"""Who follows the tables by `changed_since` misses nothing, and is told where it can't go on."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from neon_projector.consumer.admin import changes as log
from neon_projector.models import Document, User
from neon_projector.models.engine import create_direct_engine
from neon_projector.models.reading import ChangesOff, CursorLost, changed_since, start_cursor
from neon_projector.models.reading import sync as synchronous
from neon_projector.models.reading.changes_cursor import changes_cursor, log_place_of
from neon_projector.models.settings import DatabaseSettings
from neon_projector.projections.registry import REGISTRY
from tests.models.rows import Sessions
from tests.support.follower import Copy, Shown, step

ONE, OTHER = UUID(int=1), UUID(int=2)
COLUMNS = "(id, email, name, is_active, created_at, updated_at, version)"
NEW = f"INSERT INTO users {COLUMNS} VALUES ($1::uuid, $1::uuid || '@x.org', 'Ada', true, now(), now(), 1)"
MANY = f"INSERT INTO users {COLUMNS} SELECT i, i || '@x.org', 'A', true, now(), now(), 1 FROM unnest($1::uuid[]) i"
DOCUMENT = (
    "INSERT INTO documents (id, title, content, user_id, created_at, updated_at, version) "
    "SELECT gen_random_uuid(), 'T', 'long', id, now(), now(), 1 FROM users"
)
NUMBER = "ORDER BY xid, number"


async def switched(database: str, *, on: bool) -> None:
    engine = create_direct_engine(DatabaseSettings.model_validate({"neon_database_url": database}))
    assert await (log.enable if on else log.disable)(engine, REGISTRY)
    await engine.dispose()


@pytest.fixture
async def noted(database: str) -> str:
    """The database, where changes are noted."""
    await switched(database, on=True)
    return database


@pytest.fixture
async def owner_connection(noted: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(noted)
    yield connection
    await connection.close()


async def started(sessions: Sessions) -> str:
    async with sessions() as session:
        return await start_cursor(session)


async def ids_since(sessions: Sessions, cursor: str, **how: Any) -> tuple[list[UUID], list[UUID], str, bool]:
    async with sessions() as session:
        changes = await changed_since(session, cursor, **how)
        users = changes.of(User)
        return [user.id for user in users.rows], list(users.gone), changes.cursor, changes.more


async def test_a_change_comes_once_with_the_row_as_it_is_and_then_as_gone(
    sessions: Sessions, owner_connection: asyncpg.Connection
) -> None:
    cursor = await started(sessions)
    assert await ids_since(sessions, cursor) == ([], [], cursor, False)
    await owner_connection.execute(NEW, ONE)
    async with sessions() as session:
        user = await session.get(User, ONE)
        assert user is not None
        await session.rollback()
        await owner_connection.execute("UPDATE users SET name = 'Grace'")
        changes = await changed_since(session, cursor)
        assert [row.name for row in changes.of(User).rows] == ["Grace"], "past what the session has loaded"
        assert changes.of(Document) == ([], [])
    await owner_connection.execute("DELETE FROM users")
    rows, gone, after, more = await ids_since(sessions, changes.cursor)
    assert (rows, gone, more) == ([], [ONE], False)
    assert await ids_since(sessions, after) == ([], [], after, False)


async def test_a_synchronous_application_follows_too(sync_reader: Engine, owner_connection: asyncpg.Connection) -> None:
    with Session(sync_reader) as session:
        cursor = synchronous.start_cursor(session)
    await owner_connection.execute(NEW, ONE)
    with Session(sync_reader) as session:
        changes = synchronous.changed_since(session, cursor, User)
        assert [user.id for user in changes.of(User).rows] == [ONE]
        with pytest.raises(KeyError):
            changes.of(Document)


async def test_documents_have_their_content_where_that_is_asked_for(
    sessions: Sessions, owner_connection: asyncpg.Connection
) -> None:
    cursor = await started(sessions)
    await owner_connection.execute(NEW, ONE)
    await owner_connection.execute(DOCUMENT)
    async with sessions() as session:
        without = (await changed_since(session, cursor, Document)).of(Document)
        assert "content" not in without.rows[0].__dict__
    async with sessions() as session:
        whole = (await changed_since(session, cursor, Document, with_content=True)).of(Document)
        assert whole.rows[0].content == "long"


async def test_what_commits_late_holds_the_rest_back_and_is_not_passed_over(
    sessions: Sessions, noted: str, owner_connection: asyncpg.Connection
) -> None:
    cursor, late = await started(sessions), await asyncpg.connect(noted)
    transaction = late.transaction()
    await transaction.start()
    await late.execute(NEW, ONE)
    await owner_connection.execute(NEW, OTHER)
    assert await ids_since(sessions, cursor) == ([], [], cursor, False)
    beginning = await started(sessions)
    await transaction.commit()
    await late.close()
    for since in (cursor, beginning):
        assert (await ids_since(sessions, since))[0] == [ONE, OTHER], "in the order of the transactions"


async def test_much_comes_in_pages_and_what_is_not_followed_counts_for_none(
    sessions: Sessions, owner_connection: asyncpg.Connection
) -> None:
    cursor = await started(sessions)
    users = [uuid4() for _ in range(3500)]
    await owner_connection.execute(MANY, users[:2500])
    for user in users[2500:2520]:
        await owner_connection.execute(f"{DOCUMENT} LIMIT 60")
        await owner_connection.execute(MANY, [user])
    await owner_connection.execute(MANY, users[2520:])
    found: list[UUID] = []
    sizes: list[int] = []
    more = True
    while more:
        rows, gone, cursor, more = await ids_since(sessions, cursor, limit=1000)
        found, sizes = found + rows, [*sizes, len(rows)]
        assert gone == []
    assert sorted(found) == sorted(users)
    assert max(sizes) <= 1000
    async with sessions() as session:
        everything = await changed_since(session, await started(sessions), User, limit=1000)
        assert everything.of(User) == ([], [])


@pytest.mark.parametrize("limit", [0, 999, 10_001])
async def test_a_limit_that_no_page_can_have_is_refused(sessions: Sessions, noted: str, limit: int) -> None:
    async with sessions() as session:
        with pytest.raises(ValueError, match="limit must be 1000 to 10000"):
            await changed_since(session, await start_cursor(session), limit=limit)


@pytest.mark.parametrize("text", ["", "x", "ö" * 48, "A" * 48, "one more"])
async def test_what_is_no_cursor_is_refused(sessions: Sessions, noted: str, text: str) -> None:
    cursor = await started(sessions)
    async with sessions() as session:
        with pytest.raises(ValueError, match="not a cursor of changes"):
            await changed_since(session, f"{cursor}AAAA" if text == "one more" else text)


async def test_where_changes_are_not_noted_it_says_who_has_to_do_what(
    sessions: Sessions, owner_connection: asyncpg.Connection, noted: str
) -> None:
    cursor = await started(sessions)
    await owner_connection.execute("ALTER TABLE documents DISABLE TRIGGER projector_notes_delete")
    async with sessions() as session:
        await changed_since(session, cursor, User)
        with pytest.raises(ChangesOff, match=r"public\.documents are not noted: projector changes enable"):
            await changed_since(session, cursor)
    await switched(noted, on=False)
    async with sessions() as session:
        with pytest.raises(ChangesOff, match=r"public\.users"):
            await changed_since(session, cursor, User)
        with pytest.raises(ChangesOff, match=r"public\.users"):
            await start_cursor(session)


async def is_lost(sessions: Sessions, cursor: str, why: str) -> None:
    async with sessions() as session:
        with pytest.raises(CursorLost, match=why) as lost:
            await changed_since(session, cursor)
    assert "read everything again" in str(lost.value)


async def test_what_the_log_no_longer_has_is_lost(
    sessions: Sessions, owner_connection: asyncpg.Connection, noted: str
) -> None:
    beginning = await started(sessions)
    await owner_connection.execute(NEW, ONE)
    middle = (await ids_since(sessions, beginning))[2]
    await owner_connection.execute(NEW, OTHER)
    first = f"(SELECT number FROM projector.changes {NUMBER} LIMIT 1)"
    await owner_connection.execute(f"DELETE FROM projector.changes WHERE number = {first}")
    assert (await ids_since(sessions, middle))[0] == [OTHER], "what is read last is still there"
    await is_lost(sessions, beginning, "older than what is kept")
    await switched(noted, on=False)
    await switched(noted, on=True)
    for cursor in (beginning, middle):
        await is_lost(sessions, cursor, "the log does not have the place")
    place = log_place_of(await started(sessions))
    await is_lost(sessions, changes_cursor(place._replace(server=place.server + 1)), "another server")


async def test_after_a_restore_to_an_earlier_moment_only_what_was_read_since_is_lost(
    sessions: Sessions, owner_connection: asyncpg.Connection
) -> None:
    """The rows and the log as they were; then the same numbers are given once more, in another history."""
    await owner_connection.execute(NEW, ONE)
    before = await started(sessions)
    await owner_connection.execute(NEW, OTHER)
    after = (await ids_since(sessions, before))[2]
    (read,) = await owner_connection.fetch("SELECT * FROM projector.changes ORDER BY xid DESC, number DESC LIMIT 1")
    await owner_connection.execute("ALTER TABLE users DISABLE TRIGGER ALL; DELETE FROM users")
    await owner_connection.execute("DELETE FROM projector.changes WHERE number = $1", read["number"])
    await owner_connection.execute("ALTER TABLE users ENABLE TRIGGER ALL")
    for name in ("insert", "update", "delete", "truncate"):
        await owner_connection.execute(f"ALTER TABLE users ENABLE ALWAYS TRIGGER projector_notes_{name}")
    await is_lost(sessions, after, "put back to an earlier moment")
    await owner_connection.execute(
        "INSERT INTO projector.changes OVERRIDING SYSTEM VALUE "
        "SELECT $1, $2, 'users', 1, ARRAY[$3::uuid], clock_timestamp()", read["xid"], read["number"], ONE,
    )  # fmt: skip
    await is_lost(sessions, after, "put back to an earlier moment")
    assert (await ids_since(sessions, before))[:2] == ([], [ONE])


async def test_in_a_copy_on_another_server_the_log_is_begun_anew(
    sessions: Sessions, owner_connection: asyncpg.Connection, noted: str
) -> None:
    """pg_dump takes the triggers and the rows of the log along, and their transactions are still to come there."""
    await owner_connection.execute("UPDATE projector.changes SET xid = xid + 1000000000000")
    with pytest.raises(ChangesOff, match="projector changes enable"):
        await started(sessions)
    await switched(noted, on=True)
    cursor = await started(sessions)
    await owner_connection.execute(NEW, ONE)
    assert (await ids_since(sessions, cursor))[0] == [ONE]


async def one_writer(url: str, rng: random.Random, known: list[UUID]) -> None:
    """Transactions of a few statements, open for a while: some take back a part, or all."""
    connection = await asyncpg.connect(url)
    for _ in range(25):
        transaction = connection.transaction()
        await transaction.start()
        for _ in range(rng.randint(1, 3)):
            await a_statement(connection, rng, known)
            await asyncio.sleep(rng.uniform(0, 0.02))
        await (transaction.commit() if rng.random() < 0.8 else transaction.rollback())
    await connection.close()


async def a_statement(connection: asyncpg.Connection, rng: random.Random, known: list[UUID]) -> None:
    some = rng.sample(known, min(len(known), 3))
    for statement, ids in (
        (NEW, [uuid4()]),
        ("UPDATE users SET name = name || 'x', version = version + 1 WHERE id = $1", some[:1]),
        ("DELETE FROM users WHERE id = $1", some[1:2]),
        (
            "INSERT INTO documents SELECT gen_random_uuid(), 'T', NULL, id, now(), now(), 1 FROM users WHERE id = $1",
            some,
        ),
    ):
        if ids and rng.random() < 0.6:
            savepoint = connection.transaction()
            await savepoint.start()
            try:
                await connection.execute(statement, ids[0])
            except asyncpg.PostgresError:  # a deadlock with another writer, say
                await savepoint.rollback()
                continue
            await (savepoint.commit() if rng.random() < 0.8 else savepoint.rollback())
            known += ids if statement == NEW else []


async def test_beside_transactions_of_any_length_a_follower_that_dies_anywhere_ends_with_the_tables(
    sessions: Sessions, noted: str, owner_connection: asyncpg.Connection, tmp_path: Path
) -> None:
    rng, copy, known, cut = random.Random(7), Copy(str(tmp_path / "copy")), [uuid4()], 0
    writers = [asyncio.create_task(one_writer(noted, random.Random(seed), known)) for seed in range(5)]
    while not all(writer.done() for writer in writers):
        try:
            async with asyncio.timeout(rng.choice((0.005, 0.02, 1))):
                await step(sessions, copy)
        except TimeoutError:
            cut += 1
    await asyncio.gather(*writers)
    while await step(sessions, copy):
        pass
    assert copy.shown == await tables(owner_connection)
    assert cut, "it was never cut short"
    assert copy.pages > 3
    copy.close()


async def tables(connection: asyncpg.Connection) -> Shown:
    found = await connection.fetch(
        "SELECT 'users' AS entity, id, version, concat_ws(' ', email, name, initcap(is_active::text)) AS said "
        "FROM users UNION ALL SELECT 'documents', id, version, title || ' ' || user_id FROM documents"
    )
    return {(row["entity"], str(row["id"])): (row["version"], row["said"]) for row in found}
