"""Operators look: what waits, what was rejected, and why something is not there."""

import json
from typing import Any
from uuid import UUID

from tests.service.test_meaning import ADA, EVE, NOTES, play
from tests.support.factories import a_document_event, a_user_event
from tests.support.projector import command, eventually, running_projector
from tests.support.world import World

GAP = UUID(int=9)


async def test_every_state_has_its_explanation(world: World) -> None:
    await play(
        world,
        True,
        a_user_event(id=ADA, email="one@example.com"),
        a_user_event(id=EVE, email="one@example.com"),
        a_document_event(id=NOTES, owner=UUID(int=77)),
        a_user_event("updated", GAP, 4, name="later"),
        a_user_event(id=ADA, version=1, name="another"),
    )
    rejected = f"a rejected record ({world.users}:0 offset 3: version_conflict) of it"
    assert said(world, ADA) == (1, f"it is there, as user of version 1; {rejected}")
    ask = "its publisher can have either of the two take another email"
    assert said(world, EVE) == (1, f"it waits for the email that {ADA} holds; its own version 1 is ready; {ask}")
    owner = f"user {UUID(int=77)}"
    assert said(world, NOTES) == (1, f"it waits for {owner}; its own version 1 is ready; no event of {owner} has come")
    assert said(world, GAP) == (1, "1 later change waits for version 1, 2, 3, or for a complete event")
    assert said(world, UUID(int=5)) == (0, "nothing is known of it")
    story = json.loads(command("explain", str(ADA), "--json", settings=world.settings).stdout)
    (letter,) = story["dead_letters"]
    assert (letter["reason"], letter["topic"], letter["offset"]) == ("version_conflict", world.users, 2 + 1)


async def test_dead_letters_what_waits_and_the_whole(world: World) -> None:
    await play(world, True, a_user_event(email="nobody", password="hunter2"), a_document_event(id=NOTES, owner=ADA))
    (letter,) = asked(world, "dead-letters", "list")
    assert (letter["reason"], letter["error"], letter["topic"]) == (
        "invalid_data",
        "data.email: an e-mail address, a string of 6 characters, without @ came",
        world.users,
    )
    shown = asked(world, "dead-letters", "show", str(letter["id"]))
    assert "nobody" in shown["value"]
    assert "hunter2" not in json.dumps(shown)
    assert command("dead-letters", "show", "4711", settings=world.settings).returncode == 4
    assert asked(world, "dead-letters", "list", "--status", "resolved") == []
    (parked,) = asked(world, "parked", "list")
    assert (parked["id"], parked["reason"], parked["waiting_for"]) == (str(NOTES), "no_parent", str(ADA))
    with running_projector(world.settings | {"KAFKA_GROUP_INSTANCE_ID": "one"}) as projector:
        eventually("it is ready", lambda: projector.get("/health/ready")[0] == 200)
        group = asked(world, "status")["group"]
        assert (group["state"], len(group["members"])) == ("Stable", 1)
    whole = asked(world, "status")
    assert (whole["dead_letters"], whole["parked_states"], len(whole["partitions"])) == (1, 1, 2)
    for people in (["status"], ["dead-letters", "list"], ["parked", "list"], ["explain", str(NOTES)]):
        done = command(*people, settings=world.settings)
        assert (done.returncode, done.stderr) == (people[0] == "explain", "")


def asked(world: World, *question: str) -> Any:
    done = command(*question, "--json", settings=world.settings)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def said(world: World, entity_id: UUID) -> tuple[int, str]:
    """The exit status of `explain`, and its conclusion."""
    done = command("explain", str(entity_id), "--json", settings=world.settings)
    return done.returncode, json.loads(done.stdout)["conclusion"]
