"""Operators try dead letters again, give them up, and give up what waits: a dry run first, and a trace of it."""

import json
from typing import Any

from tests.service.test_meaning import ADA, EVE, NOTES, play
from tests.support.factories import a_document_event, a_user_event
from tests.support.projector import command
from tests.support.world import World


async def test_a_retry_resolves_what_is_good_by_now_and_counts_what_is_not(world: World) -> None:
    await world.rows("ALTER TABLE users ADD CONSTRAINT no_ada CHECK (name <> 'Ada')")
    await play(world, True, a_user_event(id=ADA, password="hunter2"), a_user_event(email="nobody"))
    assert await reasons(world) == {"refused_by_database": "new", "invalid_data": "new"}
    await world.rows("ALTER TABLE users DROP CONSTRAINT no_ada")
    assert said(world, "dead-letters", "retry", "--all") == {"would_retry": 2}
    assert await world.value("SELECT count(*)::int FROM users") == 0
    told = said(world, "dead-letters", "retry", "--all", "--execute")
    assert told == {"resolved": 1, "rejected": 1, "lost": 0}
    assert await world.value("SELECT id FROM users") == ADA
    assert await reasons(world) == {"refused_by_database": "resolved", "invalid_data": "new"}
    assert await world.value("SELECT attempts FROM projector.dead_letters WHERE status = 'new'") == 2
    assert said(world, "dead-letters", "discard", "--reason", "invalid_data", "--execute") == {"discarded": 1}
    assert (await reasons(world))["invalid_data"] == "discarded"
    commands = await world.rows("SELECT command FROM projector.operations ORDER BY id")
    assert [row["command"] for row in commands] == ["dead-letters retry", "dead-letters discard"]


async def test_what_the_state_refuses_is_rejected_again_until_the_state_allows_it(world: World) -> None:
    theft = a_document_event("ownership_transferred", NOTES, 2, from_user_id=EVE, to_user_id=ADA)
    await play(world, True, a_user_event(id=ADA), a_user_event(id=EVE), a_document_event(id=NOTES, owner=ADA), theft)
    assert said(world, "dead-letters", "retry", "--all", "--execute") == {"resolved": 0, "rejected": 1, "lost": 0}
    await world.rows("UPDATE documents SET user_id = $1", EVE)
    assert said(world, "dead-letters", "retry", "--all", "--execute") == {"resolved": 1, "rejected": 0, "lost": 0}
    assert await world.value("SELECT user_id FROM documents") == ADA


async def test_what_waits_is_given_up_by_word_only(world: World) -> None:
    await play(world, True, a_document_event(id=NOTES, owner=ADA), a_user_event("updated", ADA, 3, name="later"))
    assert said(world, "parked", "discard", str(NOTES)) == {"would_discard": 1}
    assert said(world, "parked", "discard", str(NOTES), "--execute") == {"discarded": 1}
    assert said(world, "parked", "discard", str(ADA), "--execute") == {"discarded": 1}
    assert json.loads(command("parked", "list", "--json", settings=world.settings).stdout) == []


async def test_a_choice_is_needed(world: World) -> None:
    assert command("dead-letters", "retry", settings=world.settings).returncode == 2
    assert command("dead-letters", "discard", "1", "--all", settings=world.settings).returncode == 2


async def reasons(world: World) -> dict[str, str]:
    return {row["reason"]: row["status"] for row in await world.rows("SELECT * FROM projector.dead_letters")}


def said(world: World, *words: str) -> Any:
    done = command(*words, "--json", settings=world.settings)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
