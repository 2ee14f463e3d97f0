"""A version that comes again: the same content is superseded, other content a conflict, wherever the first one stands
and however long it is; and the content that is stored stays what it was."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.races.stepping import Writer
from tests.support.factories import a_document_event, a_user_event

ADA, EVE, NOTES = UUID(int=1), UUID(int=2), UUID(int=3)
LONG, OTHER = 'ü\\ " \U0001f600' * 1_000, 'ü\\ " \U0001f600' * 999 + "!" * 5
SHORT = "short"
Event = dict[str, Any]


def created(content: str | None, version: int = 2) -> Event:
    return a_document_event(id=NOTES, owner=ADA, version=version, content=content)


def changed(content: str | None, version: int = 3) -> Event:
    return a_document_event("updated", NOTES, version, content=content)


def titled(version: int) -> Event:
    return a_document_event("updated", NOTES, version, title="Two")


THERE, GONE = a_user_event(id=ADA), a_user_event("deleted", ADA, 2)
BACK = a_user_event(id=ADA, version=3)
PLACES: dict[str, list[Event]] = {
    "as a row": [THERE, created(LONG)],
    "as a row that was changed": [THERE, created(SHORT), changed(LONG)],
    "as a row that carried it": [THERE, created(LONG), titled(3)],
    "without its owner": [created(LONG)],
    "without its owner, carried": [created(LONG), titled(3)],
    "hidden": [THERE, created(LONG), GONE],
    "hidden, carried": [THERE, created(LONG), GONE, titled(3)],
    "back, carried": [THERE, created(LONG), GONE, titled(3), BACK],
    "from a parked change": [THERE, changed(LONG), created(SHORT)],
    "from parked changes": [THERE, titled(5), changed(LONG), titled(4), created(SHORT)],
    "from a parked change, aside": [changed(LONG), created(SHORT)],
    "from a parked change, hidden": [THERE, changed(LONG), GONE, created(SHORT)],
}
VERSIONS = {
    name: max(e["data"]["version"] for e in events if e["type"][:3] == "doc") for name, events in PLACES.items()
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("together", [False, True], ids=["one by one", "together"])
async def test_a_version_that_comes_again_must_say_the_same(database: str, place: str, together: bool) -> None:
    events, version = PLACES[place], VERSIONS[place]
    connection = await asyncpg.connect(database)
    writer = Writer(database, 0)
    for batch in [events] if together else [[event] for event in events]:
        await writer.write(await writer.batch(batch))
    before = await stored(connection)
    assert before[:2] == (version, LONG)
    title = before[2]
    whole = {"content": LONG, "title": title}
    for again, outcome in (
        (a_document_event(id=NOTES, owner=ADA, version=version, **whole), "superseded"),
        (changed(LONG, version), "superseded"),
        (changed(OTHER, version), "rejected"),
        (changed(SHORT, version), "rejected"),
        (changed(None, version), "rejected"),
        *([(changed(OTHER, version - 1), "superseded")] if version > 2 else []),
    ):
        assert await became(connection, writer, again) == outcome
    assert await stored(connection) == before
    reasons = await connection.fetch("SELECT DISTINCT reason FROM projector.dead_letters")
    assert [row["reason"] for row in reasons] == ["version_conflict"]
    await writer.engine.dispose()
    await connection.close()


async def test_a_parked_change_that_comes_again_must_say_the_same(database: str) -> None:
    connection, writer = await asyncpg.connect(database), Writer(database, 0)
    for content in (LONG, SHORT, None):
        await writer.write(await writer.batch([changed(content)]))
        for again in (LONG, OTHER, SHORT, None):
            expected = "superseded" if again == content else "rejected"
            assert await became(connection, writer, changed(again)) == expected
        complete = created(OTHER if content == LONG else LONG, 3)
        await writer.write(await writer.batch([THERE, complete]))
        (letter,) = await connection.fetch("SELECT reason FROM projector.dead_letters WHERE value IS NULL")
        assert letter["reason"] == "version_conflict", "the parked one contradicts the state of its version"
        await connection.execute("TRUNCATE users, documents, projector.dead_letters, projector.parked_events CASCADE")
    await writer.engine.dispose()
    await connection.close()


async def stored(connection: asyncpg.Connection) -> tuple[int, str, str]:
    """Version, content and title, of the row or of the state kept aside."""
    (row,) = await connection.fetch(
        "SELECT version, content, title FROM documents UNION ALL "
        "SELECT version, state ->> 'content', state ->> 'title' FROM projector.absent_states WHERE entity = 'document'"
    )
    return tuple(row)


async def became(connection: asyncpg.Connection, writer: Writer, event: Event) -> str:
    """What the event counts as."""
    select = "SELECT applied, superseded, parked, rejected FROM projector.offsets"
    batch = await writer.batch([event])
    before = await connection.fetchrow(select)
    await writer.write(batch)
    after = await connection.fetchrow(select)
    (outcome,) = [name for name in after.keys() if after[name] != before[name]]  # noqa: SIM118
    return str(outcome)


@pytest.mark.parametrize("given", [{}, {"updated_at": "2026-11-24T12:00:00Z"}], ids=["left out", "another"])
@pytest.mark.parametrize("first", [[THERE, created(LONG)], [created(LONG)], [changed(LONG)]])
async def test_times_alone_are_no_other_content(database: str, first: list[Event], given: Event) -> None:
    """A row, a state kept aside and a parked event: each sending of the same event may have a time of its own."""
    connection, writer = await asyncpg.connect(database), Writer(database, 0)
    await writer.write(await writer.batch(first))
    before = await connection.fetch("SELECT * FROM documents")
    again = first[-1] | {"time": "2026-11-23T12:00:00Z"}
    again["data"] = {k: v for k, v in again["data"].items() if not k.endswith("_at")} | given
    assert await became(connection, writer, again) == "superseded"
    again["data"] = again["data"] | {"content": OTHER}
    assert await became(connection, writer, again) == "rejected"
    assert await connection.fetch("SELECT * FROM documents") == before
    await writer.engine.dispose()
    await connection.close()
