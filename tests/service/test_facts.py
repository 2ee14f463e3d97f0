"""The facts about Postgres that the writer is built on, each tried on the real one."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from neon_projector.projections.registry import REGISTRY
from neon_projector.projections.sql.statements import statements_for

ADA, NOTES = UUID(int=1), UUID(int=3)
USER = "INSERT INTO users (id, email, name, created_at, updated_at, version) VALUES ($1, $2, 'n', now(), now(), 1)"
DOCUMENT = (
    "INSERT INTO documents (id, title, user_id, created_at, updated_at, version) VALUES ($1, 't', $2, now(), now(), 1)"
)
UPSERT = USER + " ON CONFLICT (id) DO UPDATE SET {} WHERE users.version <= excluded.version"


@pytest.fixture
async def two(database: str) -> AsyncIterator[tuple[asyncpg.Connection, asyncpg.Connection]]:
    pair = await asyncpg.connect(database), await asyncpg.connect(database)
    await pair[0].execute(USER, ADA, "ada@example.com")
    yield pair
    for connection in pair:
        await connection.close()


@pytest.mark.parametrize(("updates", "waits"), [("name = 'x'", False), ("name = 'x', email = excluded.email", True)])
async def test_an_upsert_that_names_the_address_stands_in_the_way_of_foreign_keys(
    two: tuple[asyncpg.Connection, asyncpg.Connection], updates: str, waits: bool
) -> None:
    one, other = two
    async with one.transaction():
        await one.execute(UPSERT.format(updates), ADA, "ada@example.com")
        document = asyncio.create_task(other.execute(DOCUMENT, NOTES, ADA))
        done, _ = await asyncio.wait([document], timeout=0.5)
        assert bool(done) is not waits
    await document


def test_our_upsert_does_not_name_it() -> None:
    for projection in REGISTRY:
        updates = statements_for(REGISTRY, projection).upsert.text.partition("DO UPDATE SET")[2].partition("WHERE")[0]
        assert not any(f"{column} =" in updates for column in projection.unique)


@pytest.mark.parametrize("locked", [False, True])
async def test_a_document_inserted_before_its_owner_is_deleted_is_lost_unless_the_owner_is_locked_first(
    two: tuple[asyncpg.Connection, asyncpg.Connection], locked: bool
) -> None:
    one, other = two
    aside = 0
    async with one.transaction():
        if locked:
            await one.execute("SELECT FROM users WHERE id = $1 FOR UPDATE", ADA)
        aside = len(await one.fetch("SELECT id FROM documents WHERE user_id = $1", ADA))
        document = asyncio.create_task(other.execute(DOCUMENT, NOTES, ADA))
        done, _ = await asyncio.wait([document], timeout=0.5)
        assert bool(done) is not locked, "the lock makes it wait"
        await one.execute("DELETE FROM users WHERE id = $1", ADA)
    lost = await asyncio.gather(document, return_exceptions=True)
    assert aside == 0
    assert await one.fetchval("SELECT count(*) FROM documents") == 0
    assert isinstance(lost[0], asyncpg.ForeignKeyViolationError) is locked, "with the lock the writer is told"


async def test_one_advisory_lock_for_each_key_exhausts_shared_memory(
    two: tuple[asyncpg.Connection, asyncpg.Connection],
) -> None:
    with pytest.raises(asyncpg.OutOfMemoryError):
        await two[0].execute("SELECT pg_advisory_xact_lock(n) FROM generate_series(1, 1000000) AS n")


async def test_a_deferrable_constraint_takes_on_conflict_from_applications(
    two: tuple[asyncpg.Connection, asyncpg.Connection],
) -> None:
    await two[0].execute("ALTER TABLE users DROP CONSTRAINT uq_users_email")
    await two[0].execute("ALTER TABLE users ADD UNIQUE (email) DEFERRABLE INITIALLY DEFERRED")
    with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError):
        await two[0].execute(USER + " ON CONFLICT (email) DO NOTHING", UUID(int=9), "x@example.com")
    with pytest.raises(asyncpg.UniqueViolationError):  # at COMMIT, when it is too late to decide otherwise
        async with two[0].transaction():
            await two[0].execute(USER, UUID(int=9), "ada@example.com")
