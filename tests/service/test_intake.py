"""Intake that is stopped, by an operator, by the fuse, or because Kafka no longer has what comes next."""

import json

from tests.service.test_meaning import ADA, NOTES, play
from tests.support.factories import ARecord, a_document_event, a_user_event
from tests.support.projector import command, eventually, running_projector
from tests.support.topics import delete_topics
from tests.support.world import World

ONE = {"KAFKA_GROUP_INSTANCE_ID": "one"}


async def test_pause_lasts_across_restarts_until_resume(world: World) -> None:
    await world.create_topics(partitions=2)
    with running_projector(world.settings | ONE) as projector:
        await world.publish_users(5)
        await world.until_consumed(5)
        assert command("pause", settings=world.settings).returncode == 0
        await world.publish_users(5)
        eventually("it is not ready", lambda: "intake" in projector.failed())
        assert projector.get("/health/live")[0] == 200
        metrics = projector.get("/metrics")[1]
        assert f'projector_intake_stopped{{reason="paused",topic="{world.users}"}} 1.0' in metrics
        assert f'projector_intake_stopped{{reason="fuse",topic="{world.users}"}} 0.0' in metrics
        assert 'projector_healthy{check="intake"} 0.0' in metrics
        assert 'projector_healthy{check="partitions"} 1.0' in metrics
        assert projector.terminate() == 0
    with running_projector(world.settings | ONE) as projector:
        eventually("still not ready", lambda: "intake" in projector.failed())
        assert await world.value("SELECT count(*)::int FROM users") == 5
        assert command("resume", settings=world.settings).returncode == 0
        await world.until("SELECT count(*)::int FROM users", 10)
        eventually("it is ready", lambda: projector.get("/health/ready")[0] == 200)
    assert command("resume", settings=world.settings).returncode == 1
    traces = await world.rows("SELECT command, before, after FROM projector.operations ORDER BY id")
    told = [(row["command"], json.loads(row["before"]), json.loads(row["after"])) for row in traces]
    assert told == [("pause", {}, {"*": "paused"}), ("resume", {"*": "paused"}, {})]


async def test_promise_5_4_the_fuse_blows_before_a_flood_of_bad_records_is_committed(world: World) -> None:
    settings = world.settings | ONE | {"FUSE_MIN_RECORDS": "100"}
    await world.create_topics()
    await world.publish_users(50)
    await world.publish([ARecord(b"not json", topic="users") for _ in range(200)])
    with running_projector(settings) as projector:
        eventually("it is not ready", lambda: "fuse" in projector.failed().get("intake", ""))
        assert await world.value("SELECT count(*)::int FROM projector.dead_letters") < 100
        assert command("resume", settings=settings).returncode == 0
        eventually("it blows again", lambda: projector.logged().count("the fuse has blown") >= 2)
        assert command("resume", "--accept", settings=settings).returncode == 0
        await world.until_consumed(250)
        eventually("it is ready", lambda: projector.get("/health/ready")[0] == 200)
    assert await world.totals() == {
        "applied": 50, "superseded": 0, "parked": 0, "rejected": 200, "ignored": 0, "skipped": 0,
    }  # fmt: skip


async def test_promise_5_7_a_recreated_topic_stops_the_partition(world: World) -> None:
    await world.create_topics()
    await world.publish_users(5)
    with running_projector(world.settings | ONE) as projector:
        await world.until_consumed(5)
        assert projector.terminate() == 0
    await delete_topics(world.bootstrap, world.users, world.documents)
    await world.create_topics()
    await world.publish_users(20)  # it has grown past the position
    with running_projector(world.settings | ONE) as projector:
        eventually("it is not ready", lambda: "partitions" in projector.failed())
        assert 'reason="topic_changed"' in projector.get("/metrics")[1]
        assert await world.value("SELECT count(*)::int FROM users") == 5
        assert "projector offsets reset" in projector.logged()
        await world.rows(
            "UPDATE projector.offsets SET next_offset = 0, epoch = epoch + 1, fingerprint = NULL, topic_id = NULL"
            " WHERE topic = $1",
            world.users,
        )
        await world.until("SELECT count(*)::int FROM users", 25)
        eventually("it is ready", lambda: projector.get("/health/ready")[0] == 200)


async def test_promise_5_7_a_position_beyond_the_end_stops_the_partition(world: World) -> None:
    await world.create_topics()
    await world.rows(
        "INSERT INTO projector.offsets (group_id, topic, partition, next_offset) VALUES ($1, $2, 0, 1000)",
        world.group, world.users,
    )  # fmt: skip
    await world.publish_users(5)
    with running_projector(world.settings) as projector:
        eventually("it is not ready", lambda: "partitions" in projector.failed())
        assert 'reason="position_not_in_topic"' in projector.get("/metrics")[1]
    assert await world.value("SELECT next_offset::int FROM projector.offsets WHERE topic = $1", world.users) == 1000


async def test_promise_5_7_a_position_that_is_set_beyond_the_end_stops_the_partition(world: World) -> None:
    await world.create_topics()
    ahead = "UPDATE projector.offsets SET next_offset = next_offset + 100 WHERE topic = $1"
    with running_projector(world.settings) as projector:
        await world.publish_users(3)
        await world.until_consumed(3)
        await world.rows(ahead, world.users)  # by hand, or by a backup that is newer than the topic
        await world.publish_users(2)
        eventually("it is not ready", lambda: "partitions" in projector.failed())
        assert "Kafka does not have the record" in projector.logged()
        projector.kill()
    with running_projector(world.settings) as projector:  # the last record that was applied is still there
        eventually("it is not ready", lambda: "partitions" in projector.failed())
        assert 'reason="position_not_in_topic"' in projector.get("/metrics")[1]
        moved = command("offsets", "reset", "--all-topics", "--to-earliest", "--execute", settings=world.settings)
        assert moved.returncode == 0
        await world.until("SELECT count(*)::int FROM users", 5)


async def test_hidden_documents_are_erased_after_the_grace(world: World) -> None:

    await play(
        world, True, a_user_event(id=ADA), a_document_event(id=NOTES, owner=ADA), a_user_event("deleted", ADA, 2)
    )
    await world.rows("UPDATE projector.absent_states SET since = now() - interval '8 days' WHERE entity = 'document'")
    await play(world, True, a_user_event(id=ADA, version=3), create=False)
    assert await world.value("SELECT count(*)::int FROM documents") == 1, "a user that comes back brings them back"
    await play(world, True, a_user_event("deleted", ADA, 4), create=False)
    await world.rows("UPDATE projector.absent_states SET since = now() - interval '8 days' WHERE entity = 'document'")
    await play(world, True, a_user_event(), create=False)
    await play(world, True, a_document_event("updated", NOTES, 2, title="late"), create=False)
    assert await world.value("SELECT reason FROM projector.absent_states WHERE entity = 'document'") == "erased"
    assert await world.value("SELECT reason FROM projector.dead_letters") == "erased"
