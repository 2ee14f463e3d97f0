"""Two writers race, stepped through each other's statements: the tables are the definition, whoever was first."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from tests.races.stepping import Steps, Writer
from tests.support.factories import a_document_event, a_user_event
from tests.support.hostile import WORST, calm, set_defaults

ADA, EVE, NOTES = UUID(int=1), UUID(int=2), UUID(int=3)
STEPS = range(9)
OTHERS_STEPS = range(0, 9, 2)

Events = list[dict[str, Any]]
created_ada = a_user_event(id=ADA, email="ada@example.com")
created_eve = a_user_event(id=EVE, email="eve@example.com")
notes_of_ada = a_document_event(id=NOTES, owner=ADA)

RACES: dict[str, tuple[Events, Events, Events, dict[str, list[Any]]]] = {
    # name: before, one writer, the other, what the tables must be
    "a child and its parent": ([], [notes_of_ada], [created_ada], {"users": [ADA], "documents": [(NOTES, ADA)]}),
    "a partial event and its base": (
        [], [a_user_event("updated", ADA, 2, name="Two")], [created_ada], {"users": [ADA], "names": ["Two"]},
    ),
    "an address that is freed and one who wants it": (
        [created_ada],
        [a_user_event("updated", ADA, 2, email="new@example.com")],
        [a_user_event(id=EVE, email="ada@example.com")],
        {"users": [ADA, EVE]},
    ),
    "a user's deletion and the transfer of its document": (
        [created_ada, created_eve, notes_of_ada],
        [a_user_event("deleted", ADA, 2)],
        [a_document_event("ownership_transferred", NOTES, 2, from_user_id=ADA, to_user_id=EVE)],
        {"users": [EVE], "documents": [(NOTES, EVE)]},
    ),
    "a new document and its owner's deletion": (
        [created_ada], [notes_of_ada], [a_user_event("deleted", ADA, 2)], {"users": [], "hidden": [NOTES]},
    ),
    "a deletion and an older event in another partition": (
        [], [a_user_event("deleted", ADA, 5)], [created_ada], {"users": []},
    ),
    "two versions of one key in two partitions": (
        [], [a_user_event(id=ADA, version=2, name="Two")], [created_ada], {"users": [ADA], "names": ["Two"]},
    ),
    "two who want one address": (
        [], [created_ada], [a_user_event(id=EVE, email="ada@example.com")], {"shown": [1], "contested": [1]},
    ),
    "a swap, half in each": (
        [created_ada, created_eve],
        [a_user_event("updated", ADA, 2, email="eve@example.com")],
        [a_user_event("updated", EVE, 2, email="ada@example.com")],
        {"emails": ["eve@example.com", "ada@example.com"]},
    ),
}  # fmt: skip

QUERIES = {
    "users": "SELECT id FROM users ORDER BY id",
    "names": "SELECT name FROM users ORDER BY id",
    "emails": "SELECT email FROM users ORDER BY id",
    "documents": "SELECT (id, user_id) FROM documents ORDER BY id",
    "hidden": "SELECT id FROM projector.absent_states WHERE reason = 'parent_deleted'",
    "shown": "SELECT count(*) FROM users",
    "contested": "SELECT count(*) FROM projector.absent_states WHERE reason = 'contested'",
}
NOTHING_WAITS = (
    "SELECT (SELECT count(*) FROM projector.parked_events) + count(*) FROM projector.absent_states "
    "WHERE reason = 'no_parent'"
)


@pytest.fixture
async def writers(database: str) -> AsyncIterator[tuple[Writer, Writer]]:
    """Under the worst defaults that a database can have."""
    await set_defaults(database, WORST)
    pair = Writer(database, 0), Writer(database, 1)
    yield pair
    for writer in pair:
        await writer.engine.dispose()


@pytest.mark.parametrize("swapped", [False, True], ids=["one first", "the other first"])
@pytest.mark.parametrize("name", RACES)
async def test_neither_is_left_behind(database: str, writers: tuple[Writer, Writer], name: str, swapped: bool) -> None:
    before, *sides, expected = RACES[name]
    one, other = sides[::-1] if swapped else sides
    steps = [Steps(writer.engine) for writer in writers]
    connection = await calm(database)
    for first in STEPS:
        for second in OTHERS_STEPS:
            await connection.execute(
                "TRUNCATE users, documents, projector.absent_states, projector.parked_events, "
                "projector.dead_letters, projector.offsets"
            )
            await race(writers, steps, before, one, other, first, second)
            found = {key: [row[0] for row in await connection.fetch(QUERIES[key])] for key in expected}
            assert found == expected, f"after {first} and {second} statements"
            assert await connection.fetchval(NOTHING_WAITS) == 0, f"after {first} and {second} statements"
    await connection.close()


async def race(
    writers: tuple[Writer, Writer],
    steps: list[Steps],
    before: Events,
    one: Events,
    other: Events,
    first: int,
    second: int,
) -> None:
    """`one` does `first` statements, `other` does `second`, then `one` goes on to its end, and `other` to its own."""
    for held in steps:
        held.go()
    if before:
        await writers[0].write(await writers[0].batch(before))
    batches = [await writers[0].batch(one), await writers[1].batch(other)]
    for held in steps:
        held.hold()
    tasks = [asyncio.create_task(w.write(b)) for w, b in zip(writers, batches, strict=True)]
    await steps[0].take(first, tasks[0])
    await steps[1].take(second, tasks[1])
    steps[0].go()
    await asyncio.wait(tasks[:1], timeout=0.05)
    steps[1].go()
    async with asyncio.timeout(30):
        await asyncio.gather(*tasks)
