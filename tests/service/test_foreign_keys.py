"""Foreign keys of an application into our tables: what they refuse is one letter that says so, and nothing stops."""

import asyncio
import re
from uuid import UUID

import asyncpg
import pytest

from neon_projector.consumer.apply import retry
from tests.operate.commands import RETRY, told
from tests.races.stepping import Writer
from tests.service.test_meaning import ADA, EVE, NOTES
from tests.support.factories import a_document_event, a_record, a_user_event
from tests.support.projector import eventually, running_projector
from tests.support.world import World

BOB, MEMO = UUID(int=4), UUID(int=5)
KINDS = {
    "no action": "",
    "restrict": "ON DELETE RESTRICT",
    "deferred": "DEFERRABLE INITIALLY DEFERRED",
}
HEALS = (
    "a foreign key of an application keeps the row: drop the constraint, then projector dead-letters retry "
    "--reason refused_by_database"
)


def a_reference(table: str, into: str, kind: str) -> str:
    return f"CREATE TABLE {table} (of uuid CONSTRAINT {table}_of REFERENCES {into} {KINDS[kind]})"


@pytest.mark.parametrize("new_from", [1, retry.NEW_FROM], ids=["as a large batch", "as a small one"])
@pytest.mark.parametrize("of", ["users", "documents"])
@pytest.mark.parametrize("kind", KINDS)
async def test_it_refuses_one_deletion_and_the_letter_says_what_heals_it(
    database: str, kind: str, of: str, new_from: int
) -> None:
    """`documents`: the deletion of the owner hides the document, which takes its row away."""
    writer, connection = Writer(database, 0, new_from=new_from), await asyncpg.connect(database)
    await connection.execute(a_reference("orders", of, kind))
    await writer.write(await writer.batch([a_user_event(id=ADA), a_user_event(id=EVE)]))
    await writer.write(await writer.batch([a_document_event(id=NOTES, owner=ADA)]))
    await connection.execute("INSERT INTO orders VALUES ($1)", ADA if of == "users" else NOTES)
    gone = [a_user_event("deleted", ADA, 2), a_user_event("deleted", EVE, 2), a_user_event(id=BOB)]
    async with asyncio.timeout(60):  # it neither stops nor goes round for ever
        await writer.write(await writer.batch(gone))
    rows = await connection.fetch("SELECT id FROM users UNION ALL SELECT id FROM documents ORDER BY 1")
    assert [row["id"] for row in rows] == [ADA, NOTES, BOB]
    (letter,) = await connection.fetch("SELECT reason, error, entity_id FROM projector.dead_letters")
    assert (letter["reason"], letter["entity_id"]) == ("refused_by_database", ADA)
    states = "(23001|23503)" if kind == "restrict" else "23503"  # RESTRICT has its own since PostgreSQL 18
    says = f"the database refuses it: SQLSTATE {states}, constraint orders_of, table public.orders, {HEALS}"
    assert re.fullmatch(says, letter["error"])
    assert await connection.fetchval("SELECT sum(next_offset)::int FROM projector.offsets") == 6
    await writer.engine.dispose()
    await connection.close()


async def test_a_foreign_key_of_our_own_tables_on_theirs_is_told_without_that(database: str) -> None:
    """Dropping it would help, too, but the row that it misses can be made."""
    writer, connection = Writer(database, 0), await asyncpg.connect(database)
    await connection.execute(
        "CREATE TABLE titles (title text PRIMARY KEY);"
        "ALTER TABLE documents ADD CONSTRAINT known_title FOREIGN KEY (title) REFERENCES titles"
    )
    await writer.write(await writer.batch([a_user_event(id=ADA), a_document_event(id=NOTES, owner=ADA)]))
    (letter,) = await connection.fetch("SELECT error FROM projector.dead_letters")
    assert letter["error"] == "the database refuses it: SQLSTATE 23503, constraint known_title, table public.documents"
    await writer.engine.dispose()
    await connection.close()


async def test_the_service_goes_on_beside_them_and_a_retry_heals_once_they_are_dropped(world: World) -> None:
    await world.create_topics()
    tables = {"plain": ("users", "no action"), "strict": ("documents", "restrict"), "late": ("users", "deferred")}
    for table, (into, kind) in tables.items():
        await world.rows(a_reference(table, into, kind))
    users = [a_user_event(id=ADA), a_user_event(id=EVE), a_user_event(id=BOB)]
    documents = [a_document_event(id=NOTES, owner=EVE), a_document_event(id=MEMO, owner=BOB)]
    with running_projector(world.settings) as projector:
        await world.publish([a_record(event) for event in users + documents])
        await world.until_consumed(5)
        for table, of in {"plain": ADA, "strict": NOTES, "late": BOB}.items():
            await world.rows(f"INSERT INTO {table} VALUES ($1)", of)
        gone = [a_user_event("deleted", user, 2) for user in (ADA, EVE, BOB)]
        await world.publish([a_record(event) for event in [*gone, a_user_event()]])
        await world.until_consumed(9)
        await asyncio.to_thread(eventually, "readiness", lambda: projector.get("/health/ready")[0] == 200)
        letters = await world.rows("SELECT entity_id, error FROM projector.dead_letters ORDER BY entity_id")
        assert [row["entity_id"] for row in letters] == sorted((ADA, EVE, BOB))
        assert all(row["error"].endswith(HEALS) for row in letters)
        for table in tables:
            await world.rows(f"ALTER TABLE {table} DROP CONSTRAINT {table}_of")
        done = await told(world, *RETRY, "--reason", "refused_by_database", "--execute")
        assert (done["resolved"], done["rejected"]) == (3, 0)
        assert await world.value("SELECT count(*)::int FROM users") == 1
        assert await world.value("SELECT count(*)::int FROM documents") == 0
        hidden = "SELECT id FROM projector.absent_states WHERE reason = 'parent_deleted' ORDER BY id"
        assert [row["id"] for row in await world.rows(hidden)] == sorted((NOTES, MEMO))
        for table in tables:
            assert await world.value(f"SELECT count(*)::int FROM {table}") == 1, "what refers is the application's own"
