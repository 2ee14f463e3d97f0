"""Operators look at positions and move them, also under a running service."""

import json

import pytest

from tests.support.projector import command, running_projector
from tests.support.world import World


async def test_a_rewind_under_a_running_service_reads_again_and_changes_nothing(world: World) -> None:
    await world.create_topics()
    await world.publish_users(10)
    reset = ("offsets", "reset", "--topic", world.users, "--shift-by", "-6")
    with running_projector(world.settings):
        await world.until_consumed(10)
        before = await world.rows("SELECT * FROM users ORDER BY id")
        dry = command(*reset, "--json", settings=world.settings)
        move = {"topic": world.users, "partition": 0, "from": 10, "to": 4}
        move |= {"clamped": False, "created_again": False, "lost": None}
        assert json.loads(dry.stdout) == [move]
        assert await world.value("SELECT sum(next_offset)::int FROM projector.offsets") == 10
        done = command(*reset, "--execute", settings=world.settings)
        assert (done.returncode, "6 read again" in done.stdout) == (0, True)
        await world.publish_users(1)
        await world.until("SELECT sum(superseded)::int FROM projector.offsets", 6)
        await world.until_consumed(11)
    assert await world.rows("SELECT * FROM users WHERE id = ANY($1) ORDER BY id", [u["id"] for u in before]) == before
    (trace,) = await world.rows("SELECT command, before, after FROM projector.operations")
    assert (trace["command"], json.loads(trace["before"])) == ("offsets reset", {f"{world.users}:0": 10})
    after = json.loads(trace["after"])
    assert after.pop("topic_ids").keys() == {world.users}
    assert after == {f"{world.users}:0": 4}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (["--to-earliest"], 0),
        (["--to-latest"], 10),
        (["--to-offset", "3"], 3),
        (["--to-offset", "99"], 10),
        (["--to-datetime", "2020-01-01T00:00:00Z"], 0),
        (["--to-datetime", "2999-01-01T00:00:00Z"], 10),
        (["--by-duration", "PT1H"], 0),
        (["--shift-by", "-99"], 0),
    ],
)
async def test_every_target_that_people_know(world: World, target: list[str], expected: int) -> None:
    await world.create_topics()
    await world.publish_users(10)
    await world.rows(
        "INSERT INTO projector.offsets (group_id, topic, partition, next_offset) VALUES ($1, $2, 0, 7)",
        world.group, world.users,
    )  # fmt: skip
    done = command("offsets", "reset", "--all-topics", *target, "--execute", "--json", settings=world.settings)
    assert [row["to"] for row in json.loads(done.stdout)] == [expected]
    assert await world.value("SELECT next_offset::int FROM projector.offsets") == expected
    assert await world.value("SELECT epoch::int FROM projector.offsets") == 1


async def test_usage_and_refusal_have_their_exit_statuses(world: World) -> None:
    await world.create_topics()
    for wrong in ([], ["--all-topics"], ["--to-latest"], ["--all-topics", "--to-latest", "--to-earliest"]):
        assert command("offsets", "reset", *wrong, settings=world.settings).returncode == 2
    for scope in ("other", f"{world.users}:"):
        assert command("offsets", "reset", "--topic", scope, "--to-latest", settings=world.settings).returncode == 2
    refused = command("offsets", "reset", "--all-topics", "--to-latest", settings=world.settings)
    assert (refused.returncode, "has the service ever run?" in refused.stderr) == (4, True)


async def test_a_partition_that_is_not_there_is_refused_and_none_is_moved(world: World) -> None:
    await world.create_topics(partitions=2)
    stored = "INSERT INTO projector.offsets (group_id, topic, partition, next_offset) VALUES ($1, $2, $3, 0)"
    await world.rows(stored, world.group, world.users, 0)
    await world.rows(stored, world.group, world.documents, 7)
    for scope, said in (
        (f"{world.users}:0,9", f"Kafka does not have {world.users}:9"),
        (f"{world.users}:0,1", f"no position is stored for {world.users}:1"),
        (world.documents, f"Kafka does not have {world.documents}:7"),
    ):
        reset = ("offsets", "reset", "--topic", scope, "--to-latest", "--execute", "--json")
        done = command(*reset, settings=world.settings)
        assert (done.returncode, done.stdout, said in done.stderr) == (4, "", True)
    assert await world.value("SELECT sum(epoch)::int FROM projector.offsets") == 0
    assert await world.rows("SELECT * FROM projector.operations") == []


async def test_show_tells_a_position_that_kafka_does_not_have(world: World) -> None:
    await world.create_topics()
    await world.publish_users(3)
    with running_projector(world.settings):
        await world.until_consumed(3)
    told = command("offsets", "show", "--json", settings=world.settings)
    users = next(row for row in json.loads(told.stdout) if row["topic"] == world.users)
    assert (told.returncode, users["next_offset"], users["applied"], users["lag"], users["lost"]) == (0, 3, 3, 0, False)
    await world.rows("UPDATE projector.offsets SET next_offset = 1000")
    assert command("offsets", "show", settings=world.settings).returncode == 1
