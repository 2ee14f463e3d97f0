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
    assert said(world, "dead-letters", "retry", "--all", status=1)["executed"] is False
    assert await world.value("SELECT count(*)::int FROM users") == 0
    told = said(world, "dead-letters", "retry", "--all", "--execute", status=1)
    assert (told["resolved"], told["rejected"], told["lost"]) == (1, 1, 0)
    assert await world.value("SELECT id FROM users") == ADA
    assert await reasons(world) == {"refused_by_database": "resolved", "invalid_data": "new"}
    assert await world.value("SELECT attempts FROM projector.dead_letters WHERE status = 'new'") == 2
    discard = ("dead-letters", "discard", "--reason", "invalid_data")
    number = said(world, *discard)["first"]
    assert (await reasons(world))["invalid_data"] == "new"
    execute = ("--execute", "--why", "nobody wants it")
    assert said(world, *discard, *execute) == {"executed": True, "discarded": 1, "first": number, "last": number}
    assert (await reasons(world))["invalid_data"] == "discarded"
    again = command(*discard, *execute, "--json", settings=world.settings)
    assert (again.returncode, again.stdout) == (4, "")  # nothing there to act on
    traces = await world.rows("SELECT command, before, after FROM projector.operations ORDER BY id")
    assert [row["command"] for row in traces] == ["dead-letters retry", "dead-letters discard"]
    assert json.loads(traces[1]["before"]) == {"filter": {"status": "new", "reason": "invalid_data"}}
    given_up = {"discarded": 1, "first": number, "last": number, "why": "nobody wants it"}
    assert json.loads(traces[1]["after"]) == given_up


async def test_what_the_state_refuses_is_rejected_again_until_the_state_allows_it(world: World) -> None:
    theft = a_document_event("ownership_transferred", NOTES, 2, from_user_id=EVE, to_user_id=ADA)
    await play(world, True, a_user_event(id=ADA), a_user_event(id=EVE), a_document_event(id=NOTES, owner=ADA), theft)
    assert said(world, "dead-letters", "retry", "--all", "--execute", status=1)["rejected"] == 1
    await world.rows("UPDATE documents SET user_id = $1", EVE)
    assert said(world, "dead-letters", "retry", "--all", "--execute")["resolved"] == 1
    assert await world.value("SELECT user_id FROM documents") == ADA


async def test_what_waits_is_given_up_by_word_only(world: World) -> None:
    await play(world, True, a_document_event(id=NOTES, owner=ADA), a_user_event("updated", ADA, 3, name="later"))
    assert said(world, "parked", "discard", str(NOTES))["discarded"] == 1
    assert len(listed(world)) == 2
    (state,) = said(world, "parked", "discard", str(NOTES), "--execute")["waited"]
    assert (state["reason"], state["waiting_for"]) == ("no_parent", str(ADA))
    (event,) = said(world, "parked", "discard", str(ADA), "--execute")["waited"]
    assert (event["reason"], event["type"], event["topic"], event["offset"]) == (
        "no_base",
        "user.updated",
        world.users,
        0,
    )
    assert listed(world) == []
    traces = await world.rows("SELECT command, before, after FROM projector.operations ORDER BY id")
    assert [json.loads(row["before"]) for row in traces] == [
        {"id": str(NOTES), "waits": [state]},
        {"id": str(ADA), "waits": [event]},
    ]
    assert json.loads(traces[0]["after"]) == {"id": str(NOTES), "waits": []}


async def test_of_what_does_not_wait_nothing_is_given_up(world: World) -> None:
    for words in (["parked", "discard", str(ADA)], ["dead-letters", "discard", "7"], ["dead-letters", "retry", "7"]):
        for more in ([], ["--execute", "--why", "x"] if "discard" in words and "7" in words else ["--execute"]):
            done = command(*words, *more, settings=world.settings)
            assert (done.returncode, done.stdout, done.stderr.count("\n")) == (4, "", 1)
    assert await world.rows("SELECT * FROM projector.operations") == []


async def test_a_choice_is_needed(world: World) -> None:
    assert command("dead-letters", "retry", settings=world.settings).returncode == 2
    assert command("dead-letters", "discard", "1", "--all", settings=world.settings).returncode == 2


async def reasons(world: World) -> dict[str, str]:
    return {row["reason"]: row["status"] for row in await world.rows("SELECT * FROM projector.dead_letters")}


def listed(world: World) -> Any:
    return said(world, "parked", "list")


def said(world: World, *words: str, status: int = 0) -> Any:
    done = command(*words, "--json", settings=world.settings)
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)
