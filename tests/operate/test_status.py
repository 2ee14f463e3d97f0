"""`status` tells who is at work, what has stopped, what waits for what, and what was rejected."""

import itertools
import json
import signal
import time
from subprocess import PIPE, Popen

from tests.operate.commands import printed, told
from tests.service.test_meaning import ADA, EVE, NOTES, play
from tests.support.factories import a_document_event, a_user_event
from tests.support.kafka import other_client
from tests.support.projector import PROJECTOR, command, environment, eventually, running_projector
from tests.support.topics import delete_topics
from tests.support.world import World


async def test_members_and_their_partitions_are_kafkas_own_word(world: World) -> None:
    await world.create_topics(partitions=2)
    nobody = await told(world, "status", exit_status=1)
    assert (nobody["group"]["members"], nobody["last_update"]) == ([], None)
    assert nobody["findings"][0]["says"] == "no instance of the service is in the group"
    with running_projector(world.settings) as first, running_projector(world.settings) as second:
        for one in (first, second):
            eventually("it has half of the partitions", lambda one=one: len(one.status().get("partitions", [])) == 2)
        whole = await told(world, "status")
        assert whole["group"]["state"] == "Stable"
        held = [member["partitions"] for member in whole["group"]["members"]]
        topics = (world.users, world.documents)
        assert sorted(itertools.chain(*held)) == sorted(f"{topic}:{n}" for topic in topics for n in (0, 1))
        assert [len(one) for one in held] == [2, 2]
        assert "Stable, 2 members" in await printed(world, "status")


async def test_partitions_that_nobody_reads_have_their_lag_and_its_age(world: World) -> None:
    await world.create_topics(partitions=1)
    await world.publish_users(2)
    rows = {row["topic"]: row for row in (await told(world, "status", exit_status=1))["partitions"]}
    users, documents = rows[world.users], rows[world.documents]
    assert (users["next_offset"], users["lag"], users["member"]) == (None, 2, None)
    assert 0 < users["lag_seconds"] < 600
    assert (documents["lag"], documents["lag_seconds"]) == (0, 0)
    with running_projector(world.settings) as projector:
        await world.until_consumed(2)
        rows = {row["topic"]: row for row in (await told(world, "status"))["partitions"]}
        assert (rows[world.users]["lag"], rows[world.users]["lag_seconds"]) == (0, 0)
        assert rows[world.users]["member"].startswith("neon-projector")
        assert projector.terminate() == 0
    before = time.time()
    await world.publish_users(1)
    rows = {row["topic"]: row for row in (await told(world, "status", exit_status=1))["partitions"]}
    assert (rows[world.users]["lag"], rows[world.users]["member"]) == (1, None)
    assert 0 <= rows[world.users]["lag_seconds"] <= time.time() - before + 1


async def test_watching_goes_on_until_ctrl_c(world: World) -> None:
    await world.create_topics()
    with watched(world) as watching:
        assert watching.stdout is not None
        lags = [json.loads(watching.stdout.readline())["partitions"][1]["lag"]]
        await world.publish_users(3)
        while lags[-1] != 3:
            lags.append(json.loads(watching.stdout.readline())["partitions"][1]["lag"])
        watching.send_signal(signal.SIGINT)
        assert watching.wait(10) == 130
    assert lags[0] == 0


async def test_what_waits_and_what_was_rejected_is_told_apart(world: World) -> None:
    await play(
        world,
        True,
        a_user_event(id=ADA, email="one@example.com"),
        a_user_event(id=EVE, email="one@example.com"),
        a_document_event(id=NOTES, owner=NOTES),
        a_user_event("updated", NOTES, 4, name="later"),
        a_user_event(email="nobody"),
        a_user_event(email="nobody"),
    )
    whole = await told(world, "status")
    assert whole["findings"][0]["level"] == "look"
    waiting = {(row["entity"], row["waits_for"]): row["number"] for row in whole["waiting"]}
    assert waiting == {
        ("document", "its parent"): 1,
        ("user", "the versions before"): 1,
        ("user", "a unique value"): 1,
    }
    assert [(row["reason"], row["number"]) for row in whole["dead_letters_by_reason"]] == [("invalid_data", 2)]
    assert whole["last_update"] is not None


async def test_a_stop_and_a_recreated_topic_are_exit_status_1(world: World) -> None:
    await play(world, True, a_user_event(), a_user_event())
    assert command("pause", "--topic", world.documents, settings=world.settings).returncode == 0
    assert (await told(world, "status", exit_status=1))["stops"] == {world.documents: "paused"}
    assert command("resume", "--topic", world.documents, settings=world.settings).returncode == 0
    assert json.loads(command("status", "--json", settings=world.settings).stdout)["stops"] == {}
    await delete_topics(world.bootstrap, world.users, world.documents)
    await world.create_topics()
    await world.publish_users(3)
    rows = (await told(world, "status", exit_status=1))["partitions"]
    assert {row["topic"]: row["stopped"] for row in rows} == {world.users: "topic_changed", world.documents: None}


def watched(world: World) -> Popen[str]:
    words = [str(PROJECTOR), "status", "--watch", "--json"]
    return Popen(words, env=environment(world.settings), stdout=PIPE, stderr=PIPE, text=True)


async def test_a_group_that_another_client_uses_by_the_newer_protocol_is_told_with_its_members(world: World) -> None:
    await world.create_topics(partitions=2)
    assert (await told(world, "status", exit_status=1))["group"]["protocol"] == "classic"
    with other_client(world.bootstrap, world.group, world.users):
        deadline = time.monotonic() + 30
        while not (group := (await told(world, "status", exit_status=1))["group"])["members"]:
            assert time.monotonic() < deadline, group
        assert (group["protocol"], group["state"]) == ("consumer", "Stable")
        (member,) = group["members"]
        assert member["partitions"] == [f"{world.users}:0", f"{world.users}:1"]
        assert member["host"] == "127.0.0.1"
        shown = await printed(world, "status")
        assert "Stable, 1 member)" in shown
        assert "another client uses this group, with the protocol consumer" in shown
        with running_projector(world.settings | {"KAFKA_GROUP_ID": f"{world.group}-own"}):
            await world.until("SELECT count(*)::int FROM projector.offsets", 4)
            own = json.loads(
                command("status", "--json", settings=world.settings | {"KAFKA_GROUP_ID": f"{world.group}-own"}).stdout
            )
        assert (own["group"]["protocol"], len(own["group"]["members"])) == ("classic", 1)
