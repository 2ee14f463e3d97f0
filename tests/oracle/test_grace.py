"""The grace of what is hidden counts from the later of its parent's deletion and its own arrival below that parent."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.races.stepping import Writer
from tests.support.comments import TABLE, WITH_COMMENTS
from tests.support.factories import TIME, a_document_event, a_user_event, an_event

ADA, EVE, BOB = UUID(int=1), UUID(int=2), UUID(int=3)
NOTES, SAID = UUID(int=11), UUID(int=12)
Events = list[dict[str, Any]]

BEFORE = "UPDATE projector.absent_states SET since = now() - interval '8 days' WHERE id = $1"
NOW = (
    "SELECT reason, waiting_for, since > now() - interval '1 hour' AS again FROM projector.absent_states WHERE id = $1"
)


def a_comment(version: int = 1, author: UUID = EVE) -> dict[str, Any]:
    data = {"body": "So", "document_id": str(NOTES), "author_id": str(author), "created_at": TIME, "updated_at": TIME}
    return an_event("comment.created", {"id": str(SAID), "version": version, **data})


def a_transfer(version: int, old: UUID, new: UUID) -> dict[str, Any]:
    return a_document_event("ownership_transferred", NOTES, version, from_user_id=old, to_user_id=new)


def ada(version: int = 1) -> dict[str, Any]:
    return a_user_event(id=ADA, version=version)


def notes(version: int = 1, owner: UUID = ADA) -> dict[str, Any]:
    return a_document_event(id=NOTES, version=version, owner=owner)


NOTES_GONE, EVE_GONE = a_document_event("deleted", NOTES, 2), a_user_event("deleted", EVE, 2)
CASES: dict[str, tuple[UUID, Events, Events, str, UUID, bool]] = {
    "it waited for one parent, and the other is deleted": (
        SAID, [ada(), EVE_GONE, a_comment()], [notes()], "parent_deleted", EVE, True,
    ),
    "both are deleted, and one comes back": (
        SAID, [ada(), NOTES_GONE, EVE_GONE, a_comment()], [notes(3)], "parent_deleted", EVE, True,
    ),
    "it was hidden, and then waits for another": (
        SAID, [ada(), NOTES_GONE, a_comment()], [notes(3)], "no_parent", EVE, True,
    ),
    "it waits for one after the other": (
        SAID, [ada(), a_comment()], [notes()], "no_parent", EVE, False,
    ),
    "it waited, and its parent is deleted": (
        SAID, [ada(), notes(), a_comment()], [EVE_GONE], "parent_deleted", EVE, True,
    ),
    "it was hidden, and a newer state of it waits for one who is unknown": (
        SAID, [ada(), a_user_event(id=EVE), NOTES_GONE, a_comment(), notes(3), EVE_GONE], [a_comment(2, BOB)],
        "no_parent", BOB, True,
    ),
    "it is transferred from one who is deleted to another": (
        NOTES, [ada(), notes(), a_user_event("deleted", ADA, 2), EVE_GONE], [a_transfer(2, ADA, EVE)],
        "parent_deleted", EVE, True,
    ),
    "its owner was unknown, and it is transferred to one who is deleted": (
        NOTES, [notes(), EVE_GONE], [a_transfer(2, ADA, EVE)], "parent_deleted", EVE, True,
    ),
    "a newer state of what waits": (
        NOTES, [notes()], [a_document_event("updated", NOTES, 2, title="Two")], "no_parent", ADA, False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
async def test_the_time_aside_starts_again_with_a_new_reason(database: str, case: str) -> None:
    """A second writer looks at once for what is due, in the transaction that brings the new reason."""
    entity, before, after, reason, waiting_for, again = CASES[case]
    connection = await asyncpg.connect(database)
    await connection.execute(TABLE)
    await write(database, 0, before)
    await connection.execute(BEFORE, entity)
    await write(database, 1, after)
    assert tuple(await connection.fetchrow(NOW, entity)) == (reason, waiting_for, again)
    await connection.close()


async def test_a_newer_state_of_what_is_hidden_does_not_prolong_the_grace(database: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute(TABLE)
    await write(database, 0, [ada(), notes(), a_user_event("deleted", ADA, 2)])
    await connection.execute(BEFORE, NOTES)
    await write(database, 1, [a_document_event("updated", NOTES, 2, title="Two")])
    assert await connection.fetchval("SELECT reason FROM projector.absent_states WHERE id = $1", NOTES) == "erased"
    await connection.close()


async def write(database: str, partition: int, events: Events) -> None:
    """Each in a transaction of its own."""
    writer = Writer(database, partition, WITH_COMMENTS)
    for event in events:
        await writer.write(await writer.batch([event]))
    await writer.engine.dispose()
