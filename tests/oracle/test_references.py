"""What an application refers to our rows with: an id without a constraint loses nothing, ON DELETE CASCADE does."""

import os
import random
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from neon_projector.consumer.apply.retry import NEW_FROM
from tests.oracle.arrival import ORDERS, batches, with_repeats
from tests.oracle.test_oracle import CLEAN
from tests.oracle.upstream import Upstream
from tests.races.stepping import Writer
from tests.service.test_meaning import ADA, NOTES
from tests.support.factories import a_document_event, a_user_event

HISTORIES = int(os.environ.get("ORACLE_HISTORIES", "30")) // 6
READING = Path(__file__).parents[2] / "docs" / "reading.md"
PLAIN = """
    CREATE SCHEMA app;
    CREATE TABLE app.comments (id int GENERATED ALWAYS AS IDENTITY, document_id uuid NOT NULL, author_id uuid NOT NULL);
    CREATE INDEX ON app.comments (document_id)"""
COMMENT = "INSERT INTO app.comments (document_id, author_id) VALUES ($1, $2)"
JOINED = "SELECT c.id FROM app.comments c JOIN documents d ON d.id = c.document_id"


@pytest.mark.parametrize("order", ORDERS)
async def test_a_comment_without_a_constraint_joins_to_every_document_that_is_there(database: str, order: str) -> None:
    """After each transaction a person comments on a few documents, on those that are there and on any other."""
    connection = await asyncpg.connect(database)
    await connection.execute(PLAIN)
    gone = back = 0
    for seed in range(HISTORIES):
        rng = random.Random(f"references {order} {seed}")
        await connection.execute(CLEAN)
        await connection.execute("TRUNCATE app.comments")
        writer, upstream = Writer(database, 0, new_from=rng.choice((1, NEW_FROM))), Upstream(rng)
        events = ORDERS[order](upstream.live(rng.randint(40, 80), comments=False), rng)
        made: list[UUID] = []
        seen: dict[UUID, bool] = {}
        for batch in batches(with_repeats(events, rng), rng):
            await writer.write(await writer.batch(batch))
            shown = {row["id"] for row in await connection.fetch("SELECT id FROM documents")}
            for document in rng.sample(sorted(shown), min(len(shown), 3)) + mentioned(batch)[:1]:
                await connection.execute(COMMENT, document, document)
                made.append(document)
            assert len(await connection.fetch(JOINED)) == sum(document in shown for document in made)
            gone += sum(was and one not in shown for one, was in seen.items())
            back += sum(not was and one in shown for one, was in seen.items())
            seen = {document: document in shown for document in made}
        assert await connection.fetchval("SELECT count(*) FROM app.comments") == len(made), "none is lost"
        assert await connection.fetchval("SELECT count(*) FROM projector.dead_letters") == 0, "nothing is refused"
        assert shown == {document for document in upstream.truth["document"] if is_there(upstream, document)}
        await writer.engine.dispose()
    assert gone, "no history took a document away that had a comment"
    assert back, "and none brought one back"
    await connection.close()


def is_there(upstream: Upstream, document: UUID) -> bool:
    """Whether the publisher has the document, and its owner."""
    row = upstream.truth["document"][document]
    return row is not None and upstream.truth["user"][UUID(row["user_id"])] is not None


def mentioned(batch: list[dict[str, Any]]) -> list[UUID]:
    return [UUID(event["data"]["id"]) for event in batch if event["type"].startswith("document.")]


@pytest.mark.parametrize(
    ("on_delete", "afterwards"),
    [("CASCADE", []), ("SET NULL", [None]), ("", [NOTES])],
    ids=["cascade", "set null", "no constraint"],
)
async def test_a_constraint_harms_what_refers_to_a_document_whose_owner_goes_and_comes_back(
    database: str, on_delete: str, afterwards: list[UUID | None]
) -> None:
    """The harm that docs/reading.md warns of. The document is the same before and after."""
    writer, connection = Writer(database, 0), await asyncpg.connect(database)
    refers = f"REFERENCES documents ON DELETE {on_delete}" if on_delete else ""
    await connection.execute(f"CREATE TABLE comments (document_id uuid {refers})")
    await writer.write(await writer.batch([a_user_event(id=ADA), a_document_event(id=NOTES, owner=ADA)]))
    before = await connection.fetch("SELECT * FROM documents")
    await connection.execute("INSERT INTO comments VALUES ($1)", NOTES)
    await writer.write(await writer.batch([a_user_event("deleted", ADA, 2)]))
    await writer.write(await writer.batch([a_user_event(id=ADA, version=3)]))
    assert await connection.fetch("SELECT * FROM documents") == before
    assert [row["document_id"] for row in await connection.fetch("SELECT * FROM comments")] == afterwards
    await writer.engine.dispose()
    await connection.close()


async def test_what_the_guide_says_finds_what_points_nowhere_and_takes_it_back(database: str) -> None:
    """The SQL of docs/reading.md: a table, two joins, and what is run once a day."""
    table, joins, daily = re.findall(r"```sql\n(.*?)```", READING.read_text().partition("\n## ")[2], re.DOTALL)[:3]
    column, once_a_day = daily.split("-- once a day")
    writer, connection = Writer(database, 0), await asyncpg.connect(database)
    await connection.execute(f"CREATE SCHEMA app; {table} {column}")
    await writer.write(await writer.batch([a_user_event(id=ADA), a_document_event(id=NOTES, owner=ADA, title="Notes")]))
    for document in (NOTES, UUID(int=99)):
        await connection.execute("INSERT INTO app.comments (document_id, body) VALUES ($1, 'Yes')", document)
    inner, left = joins.strip().split("\n")
    missing = "SELECT document_id FROM app.comments WHERE missing_since IS NOT NULL ORDER BY 1"
    for event, titles, absent in (
        (None, ["Notes"], [UUID(int=99)]),
        (a_user_event("deleted", ADA, 2), [], [NOTES, UUID(int=99)]),
        (a_user_event(id=ADA, version=3), ["Notes"], [UUID(int=99)]),
    ):
        await writer.write(await writer.batch([event] if event else []))
        for _ in range(2):
            await connection.execute(once_a_day)
            assert [row[0] for row in await connection.fetch(missing)] == absent
        assert [row[0] for row in await connection.fetch(inner)] == titles
        assert len(await connection.fetch(left)) == 2
    await connection.execute("UPDATE app.comments SET missing_since = missing_since - interval '31 days'")
    await connection.execute(once_a_day)
    assert [row[0] for row in await connection.fetch("SELECT document_id FROM app.comments")] == [NOTES]
    await writer.engine.dispose()
    await connection.close()
