"""What waited and is refused when its turn comes is kept aside as `refused`; who brought it is not to blame."""

import asyncio
import json
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.races.stepping import Writer
from tests.service.test_refusals import ADA, EVE, NOTES, Place, impatient, place, trigger
from tests.support.comments import TABLE, WITH_COMMENTS
from tests.support.factories import TIME, a_document_event, a_user_event, an_event
from tests.support.projector import command

__all__ = ["impatient", "place"]

CHECK = "ALTER TABLE documents ADD CONSTRAINT no_mallory CHECK (title <> 'Mallory')"
NO_MALLORY = "SQLSTATE 23514, constraint no_mallory, table public.documents"
HOW = {
    "a check": (CHECK, NO_MALLORY),
    "a trigger that raises": (
        trigger("IF NEW.title = 'Mallory' THEN RAISE EXCEPTION '%', NEW.title; END IF", table="documents"),
        "SQLSTATE P0001, trigger guarding of table public.documents",
    ),
    "a trigger that says nothing": (
        trigger("IF NEW.title = 'Mallory' THEN RETURN NULL; END IF", table="documents"),
        "no error, but the row was not written as it should be; table public.documents, triggers guarding",
    ),
    "a deferred trigger": (
        trigger(
            "IF NEW.title = 'Mallory' THEN RAISE 'no'; END IF",
            when="AFTER INSERT", table="documents", kind="CONSTRAINT TRIGGER",
        ),
        "SQLSTATE P0001, trigger guarding of table public.documents",
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", HOW)
async def test_a_parked_document_that_is_refused_does_not_harm_the_user_who_brings_it(place: Place, how: str) -> None:
    schema, error = HOW[how]
    await place.connection.execute(schema)
    titles = ["One", "Two", "Mallory", "Three"]
    await place.write([a_document_event(id=UUID(int=20 + n), owner=ADA, title=title)
                       for n, title in enumerate(titles)])  # fmt: skip
    await place.write([a_user_event(), a_user_event(id=ADA), a_user_event()])
    assert await place.column("SELECT count(*) FROM users") == [3]
    assert await place.column("SELECT title FROM documents ORDER BY id") == ["One", "Two", "Three"]
    assert await place.refused() == {UUID(int=22): error}
    assert await place.errors() == []
    assert await place.column("SELECT applied::int FROM projector.offsets") == [3]


async def test_what_is_refused_is_shown_by_a_newer_state_and_hidden_and_tried_again_with_its_owner(
    place: Place,
) -> None:
    await place.connection.execute(CHECK)
    await place.write([a_document_event(id=NOTES, owner=ADA, title="Mallory")], [a_user_event(id=ADA)])
    assert await place.refused() == {NOTES: NO_MALLORY}
    await place.write([a_user_event("deleted", ADA, 2)])
    waiting = "SELECT reason || ' ' || coalesce(waiting_for::text, '') FROM projector.absent_states WHERE id = "
    assert await place.column(f"{waiting}'{NOTES}'") == [f"parent_deleted {ADA}"]
    await place.write([a_user_event(id=ADA, version=3)])
    assert await place.refused() == {NOTES: NO_MALLORY}
    await place.write([a_document_event("updated", NOTES, 2, title="Mended")])
    assert await place.column("SELECT title FROM documents") == ["Mended"]
    assert await place.column("SELECT count(*) FROM projector.absent_states") == [0]
    assert await place.errors() == []


async def test_a_parked_event_that_is_refused_is_a_letter_of_its_own_and_its_base_is_applied(place: Place) -> None:
    await place.connection.execute("ALTER TABLE users ADD CONSTRAINT no_mallory CHECK (name <> 'Mallory')")
    later = [
        a_user_event("updated", ADA, 2, name="Two"),
        a_user_event("updated", ADA, 3, name="Mallory"),
        a_user_event("updated", ADA, 4, is_active=False),
    ]
    await place.write(later)
    await place.write([a_user_event(id=ADA), a_user_event(id=EVE)])
    assert await place.column("SELECT name FROM users ORDER BY id") == ["Two", "Ada"]
    letters = await place.connection.fetch('SELECT "offset", reason, type, value FROM projector.dead_letters')
    assert [tuple(letter) for letter in letters] == [(1, "refused_by_database", "user.updated", None)]
    assert await place.column("SELECT version FROM projector.parked_events") == [4]
    await place.write([a_user_event("updated", ADA, 3, name="Three")])
    assert await place.column("SELECT name FROM users ORDER BY id") == ["Three", "Ada"]
    assert await place.column("SELECT is_active FROM users ORDER BY id") == [False, True]


async def test_a_contested_state_that_is_refused_does_not_harm_the_one_who_gives_the_address_up(place: Place) -> None:
    await place.connection.execute(
        "ALTER TABLE users ADD CONSTRAINT no_mallory CHECK (name <> 'Mallory' OR email <> 'one@example.com')"
    )
    await place.write([a_user_event(id=ADA, email="one@example.com")])
    await place.write([a_user_event(id=EVE, name="Mallory", email="one@example.com")])
    assert await place.column("SELECT reason FROM projector.absent_states") == ["contested"]
    await place.write([a_user_event("updated", ADA, 2, email="new@example.com")])
    assert await place.column("SELECT email FROM users") == ["new@example.com"]
    assert list(await place.refused()) == [EVE]
    assert await place.errors() == []


async def test_addresses_are_swapped_although_an_application_checks_them(place: Place) -> None:
    await place.connection.execute("ALTER TABLE users ADD CHECK (email ~ '^[^@]+@[^@]+[.][a-z]+$')")
    await place.write([a_user_event(id=ADA, email="ada@example.com"), a_user_event(id=EVE, email="eve@example.com")])
    await place.write(
        [
            a_user_event("updated", ADA, 2, email="eve@example.com"),
            a_user_event("updated", EVE, 2, email="ada@example.com"),
        ]
    )
    assert await place.column("SELECT email FROM users ORDER BY id") == ["eve@example.com", "ada@example.com"]
    assert await place.errors() == []


async def test_who_is_refused_is_found_among_many_and_over_generations(database: str) -> None:
    place = Place(Writer(database, 0, WITH_COMMENTS, new_from=1), await asyncpg.connect(database))
    await place.connection.execute(TABLE + "; ALTER TABLE comments ADD CONSTRAINT no_mallory CHECK (body <> 'Mallory')")
    documents = [a_document_event(id=UUID(int=100 + n), owner=ADA) for n in range(50)]
    comments = [
        an_event("comment.created", {
            "id": str(UUID(int=1000 + n)), "version": 1, "body": "Mallory" if n in (7, 33) else "Fine",
            "document_id": str(UUID(int=100 + n)), "author_id": str(EVE), "created_at": TIME, "updated_at": TIME,
        })
        for n in range(50)
    ]  # fmt: skip
    await place.write(comments, documents, [a_user_event(id=EVE)], [a_user_event(id=ADA)])
    assert await place.column("SELECT count(*) FROM documents") == [50]
    assert await place.column("SELECT count(*) FROM comments") == [48]
    assert set(await place.refused()) == {UUID(int=1007), UUID(int=1033)}
    assert await place.errors() == []
    await place.write([a_user_event("deleted", EVE, 2)])
    assert await place.refused() == {}
    assert await place.column("SELECT count(*) FROM projector.absent_states WHERE reason = 'parent_deleted'") == [50]
    await place.writer.engine.dispose()
    await place.connection.close()


async def test_parked_retry_shows_what_is_accepted_now_and_leaves_the_rest(place: Place, database: str) -> None:
    await place.connection.execute(CHECK)
    orphan = UUID(int=31)
    refused = [(NOTES, ADA), (UUID(int=30), ADA), (orphan, EVE)]
    await place.write([a_document_event(id=i, owner=owner, title="Mallory") for i, owner in refused])
    await place.write([a_user_event(id=ADA), a_user_event(id=EVE)])
    assert set(await place.refused()) == {i for i, _ in refused}

    async def retry(*arguments: str) -> tuple[int, Any]:
        settings = {"NEON_DATABASE_URL": database, "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
        done = await asyncio.to_thread(command, "parked", *arguments, "--json", settings=settings)
        return done.returncode, json.loads(done.stdout or "null")

    status, listed = await retry("list")
    assert {(row["reason"], row["error"]) for row in listed} == {("refused", NO_MALLORY)}
    status, told = await retry("retry", "--all", "--execute")
    assert status == 1
    assert {row["outcome"] for row in told["tried"]} == {"refused"}
    await place.connection.execute("ALTER TABLE documents DROP CONSTRAINT no_mallory")
    status, told = await retry("retry", str(NOTES))
    assert (status, told["executed"], [row["outcome"] for row in told["tried"]]) == (0, False, ["shown"])
    assert await place.column("SELECT count(*) FROM documents") == [0]
    await place.connection.execute(f"DELETE FROM users WHERE id = '{EVE}'")
    await place.write([a_document_event("updated", NOTES, 3, title="Late")])
    await place.connection.execute("UPDATE projector.parked_events SET type = 'document.renamed'")
    status, told = await retry("retry", "--all", "--execute", "--yes")
    assert {UUID(row["id"]): row["outcome"] for row in told["tried"]} == {
        NOTES: "shown", UUID(int=30): "shown", orphan: "waits",
    }  # fmt: skip
    assert await place.column("SELECT id FROM documents ORDER BY id") == [NOTES, UUID(int=30)]
    assert await place.errors() == [
        "type: one of the contract, one that is no longer there was parked"
    ]  # today's contract rejects it
    assert (await retry("retry", "--all"))[0] == 4
    assert await place.column("SELECT count(*) FROM projector.operations WHERE command = 'parked retry'") == [6]


async def test_a_parked_event_that_todays_contract_rejects_is_a_letter_also_where_its_entity_was_contested(
    place: Place,
) -> None:
    """Older code parked it. Its entity is shown because another one, whose own parked event is refused, moves away."""
    await place.connection.execute("ALTER TABLE users ADD CONSTRAINT no_mallory CHECK (name <> 'Mallory')")
    await place.write([a_user_event(id=ADA, email="one@example.com")], [a_user_event(id=EVE, email="one@example.com")])
    await place.write([a_user_event("updated", EVE, 3, name="Eve")], [a_user_event("updated", ADA, 3, name="Mallory")])
    await place.connection.execute(
        f"UPDATE projector.parked_events SET type = 'user.renamed' WHERE entity_id = '{EVE}'"
    )
    await place.write([a_user_event("updated", ADA, 2, email="new@example.com")])
    assert await place.column("SELECT email FROM users ORDER BY id") == ["new@example.com", "one@example.com"]
    assert await place.column("SELECT reason FROM projector.dead_letters ORDER BY entity_id") == [
        "refused_by_database",
        "invalid_data",
    ]
    assert await place.column("SELECT count(*) FROM projector.parked_events") == [0]
