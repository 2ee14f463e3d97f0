"""Each stop of intake is its own: who set it, why, what lifts it; and the running service says so."""

import json
import re
from typing import Any

from neon_projector.consumer.environment import load_settings
from neon_projector.consumer.offsets import intake_stops
from neon_projector.models.engine import create_engine
from tests.support.factories import a_document_event, a_record
from tests.support.projector import Projector, command, eventually, running_projector
from tests.support.world import World

TOLD = "SELECT command, outcome, before, after FROM projector.operations ORDER BY id"


def run(world: World, *words: str) -> tuple[int, Any]:
    """Exit status and JSON of a command."""
    done = command(*words, "--json", settings=world.settings)
    return done.returncode, json.loads(done.stdout or "null")


def stopped(world: World, *words: str) -> tuple[int, Any]:
    """Exit status, and what is stopped then, by topic."""
    status, body = run(world, *words)
    return status, body and body["stops"]


def logged(projector: Projector, message: str) -> list[dict[str, Any]]:
    """The lines of the log with this message."""
    lines = [json.loads(line) for line in projector.logged().splitlines() if line.startswith("{")]
    return [line for line in lines if line["message"].startswith(message)]


async def test_each_stop_is_lifted_by_its_own_name(world: World) -> None:
    users, documents = world.users, world.documents
    assert stopped(world, "pause", "--topic", "other") == (2, None)
    assert stopped(world, "pause", "--topic", users) == (0, {users: "paused"})
    assert stopped(world, "pause") == (0, {users: "paused", "*": "paused"})
    status, body = run(world, "resume")
    assert (status, [one["topic"] for one in body["lifted"]]) == (0, ["*"])
    assert (body["stops"], [one["topic"] for one in body["left"]]) == ({users: "paused"}, [users])
    assert stopped(world, "resume") == (1, {users: "paused"})
    assert stopped(world, "resume", "--topic", documents) == (1, {users: "paused"})
    assert stopped(world, "resume", "--topic", users) == (0, {})
    assert stopped(world, "resume") == (1, {})


async def test_what_is_lifted_and_what_is_not_is_said_with_who_and_why(world: World) -> None:
    words = ("--topic", world.users, "--message", "the shop\n is moving")
    assert command("pause", *words, settings=world.settings).returncode == 0
    done = command("resume", settings=world.settings)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "nothing was lifted")
    assert "(the shop is moving); projector resume --topic" in done.stdout
    await world.create_topics()
    assert re.search(r"is stopped: paused \d+ s ago by ", command("status", settings=world.settings).stdout)
    done = command("resume", "--topic", world.users, "--message", "moved", settings=world.settings)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "intake goes on within seconds")
    assert done.stdout.startswith(f"lifted: intake of {world.users} was stopped: paused ")
    traces = [(row["command"], row["outcome"]) for row in await world.rows(TOLD)]
    assert traces == [("pause", "done: the shop is moving"), ("resume", "done: moved")]
    await world.rows("""
        INSERT INTO projector.operations (command, actor, outcome, filter)
        VALUES ('resume', 'them', 'done: theirs', '{"group_id": "theirs"}')""")
    engine = create_engine(load_settings(world.settings))
    try:
        async with engine.connect() as connection:
            assert (await intake_stops.last_resume(connection, world.group))["outcome"] == "done: moved"
            assert (await intake_stops.last_resume(connection, "theirs"))["by"] == "them"
    finally:
        await engine.dispose()


async def test_one_topic_goes_on_while_all_are_paused_and_the_service_says_so(world: World) -> None:
    await world.create_topics()
    assert stopped(world, "pause", "--message", "a move") == (0, {"*": "paused"})
    await world.publish_users(5)
    await world.publish([a_record(a_document_event())])
    with running_projector(world.settings) as projector:
        eventually("it is not ready", lambda: "intake" in projector.failed())
        (line,) = logged(projector, "intake is stopped")
        assert (line["topic"], line["why"], "@" in line["by"], line["level"]) == (
            "all topics", "a move", True, "warning",
        )  # fmt: skip
        assert stopped(world, "resume", "--topic", world.users, "--message", "tried") == (0, {"*": "paused"})
        await world.until("SELECT count(*)::int FROM users", 5)
        assert await world.value("SELECT sum(parked)::int FROM projector.offsets") == 0
        (line,) = logged(projector, "intake goes on, of this topic only")
        assert (line["topic"], line["outcome"]) == (world.users, "done: tried")
        assert stopped(world, "resume", "--topic", world.users) == (1, {"*": "paused"}), "it goes on already"
        assert stopped(world, "resume", "--message", "moved") == (0, {})
        await world.until("SELECT sum(parked)::int FROM projector.offsets", 1)
        (line,) = logged(projector, "intake goes on")[1:]
        assert (line["topic"], line["was"], line["outcome"]) == ("all topics", "paused", "done: moved")


async def test_a_stop_that_the_version_before_has_set_holds_until_it_is_lifted(world: World) -> None:
    await world.create_topics()
    old = """INSERT INTO projector.intake_stops (group_id, topic, reason, actor) VALUES ($1, '*', $2, NULL)
        ON CONFLICT (group_id, topic) DO UPDATE SET reason = excluded.reason, since = now()"""
    for reason in ("paused", "fuse"):
        await world.rows(old, world.group, reason)
    assert run(world, "status")[1]["stops"] == {"*": "fuse"}
    assert stopped(world, "pause", "--topic", world.users) == (0, {"*": "fuse", world.users: "paused"})
    status, body = run(world, "resume", "--accept")
    assert (status, body["stops"]) == (0, {world.users: "paused"})
    assert sorted(one["topic"] for one in body["accepted"]) == sorted([world.users, world.documents])
    await world.rows("DELETE FROM projector.intake_stops WHERE topic IN ('*', $1)", world.users)  # as it resumes
    assert run(world, "status")[1]["stops"] == {}


async def test_a_fuse_that_blows_before_it_has_read_what_is_accepted_stops_nothing(world: World) -> None:
    engine = create_engine(load_settings(world.settings))
    try:
        async with engine.begin() as connection:
            await intake_stops.accept(connection, world.group, "users", "ada", None)
            assert not await intake_stops.blow(connection, world.group, "users", "a flood")
            assert await intake_stops.blow(connection, world.group, "documents", "a flood")
            assert not await intake_stops.blow(connection, world.group, "documents", "the same flood")
            assert await intake_stops.blow(connection, "another group", "users", "a flood")
        await world.rows("UPDATE projector.intake_stops SET until = now() WHERE reason = 'accepted'")
        async with engine.begin() as connection:
            assert await intake_stops.blow(connection, world.group, "users", "a flood")
    finally:
        await engine.dispose()
