"""Positions moved by hand, as operators do it, under a running service and after Kafka has lost something."""

import asyncio
import json
from datetime import UTC, datetime

import asyncpg

from tests.operate.commands import asked
from tests.support.projector import command, eventually, running_projector
from tests.support.topics import delete_records
from tests.support.world import World


async def test_skipping_ahead_under_a_running_service_leaves_records_out(world: World) -> None:
    await world.create_topics()
    assert command("pause", settings=world.settings).returncode == 0
    with running_projector(world.settings) as projector:
        eventually("it has joined", lambda: projector.get("/health/live")[0] == 200)
        await world.until("SELECT count(*)::int FROM projector.offsets", 2)
        await world.publish_users(5)
        (move,) = asked(world, "offsets", "reset", "--topic", f"{world.users}:0", "--to-latest", "--execute")
        assert (move["from"], move["to"]) == (0, 5)
        assert command("resume", settings=world.settings).returncode == 0
        await world.publish_users(2)
        await world.until("SELECT count(*)::int FROM users", 2)
        assert projector.terminate() == 0
    assert (await world.totals())["applied"] == 2
    traces = await world.rows("SELECT command FROM projector.operations ORDER BY id")
    assert "offsets reset" in [row["command"] for row in traces]


async def test_a_reset_that_meets_a_writer_in_the_other_order_is_tried_again(world: World) -> None:
    await world.create_topics()
    await world.publish_users(3)
    insert = "INSERT INTO projector.offsets (group_id, topic, partition, next_offset) VALUES ($1, $2, 0, 0)"
    for topic in (world.users, world.documents):
        await world.rows(insert, world.group, topic)
    lock = "SELECT FROM projector.offsets WHERE topic = $1 FOR UPDATE"
    writer = await asyncpg.connect(world.database_url)
    try:
        async with writer.transaction():
            await writer.execute("SET LOCAL deadlock_timeout = '60s'")  # so it is the other one that gives way
            await writer.fetch(lock, world.users)
            words = ("offsets", "reset", "--all-topics", "--to-latest", "--execute")
            moving = asyncio.create_task(asyncio.to_thread(asked, world, *words))
            waits = "wait_event_type = 'Lock' AND datname = current_database()"
            await world.until(f"SELECT count(*)::int FROM pg_stat_activity WHERE {waits}", 1)
            await writer.fetch(lock, world.documents)
    finally:
        await writer.close()
    assert {move["topic"]: move["to"] for move in await moving} == {world.users: 3, world.documents: 0}
    deadlocks = "SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()"
    await world.until(deadlocks, 1)


async def test_a_partition_that_stopped_because_kafka_forgot_goes_on_after_a_reset(world: World) -> None:
    await world.create_topics()
    await world.publish_users(3)
    with running_projector(world.settings) as projector:
        await world.until_consumed(3)
        assert projector.terminate() == 0
    before = await world.value("SELECT max(updated_at) FROM projector.offsets")
    await world.publish_users(5)
    await delete_records(world.bootstrap, world.users, before=6)
    with running_projector(world.settings) as projector:
        eventually("it has stopped", lambda: 'reason="position_not_in_topic"' in projector.get("/metrics")[1])
        rows = asked(world, "offsets", "show", exit_status=1)
        assert [row["lost"] for row in rows if row["topic"] == world.users] == [True]
        told = command("offsets", "reset", "--topic", world.users, "--to-earliest", settings=world.settings).stdout
        lost = f"{world.users}:0: Kafka has deleted 3 offsets before they were read, 3 to 5, published before 20"
        assert (lost in told, "; the position last moved at 20" in told) == (True, True)
        (move,) = asked(world, "offsets", "reset", "--topic", world.users, "--to-earliest", "--execute")
        assert (move["from"], move["to"]) == (3, 6)
        await world.until("SELECT count(*)::int FROM users", 5)
        kept = await world.value("SELECT after->'lost' FROM projector.operations WHERE command = 'offsets reset'")
        assert json.loads(kept) == {f"{world.users}:0": move["lost"]}
        assert (move["lost"]["from"], move["lost"]["to"]) == (3, 6)
        moved, left = (datetime.fromisoformat(move["lost"][name]) for name in ("position_moved_at", "first_left_at"))
        assert before <= moved <= left <= datetime.now(UTC)
        assert asked(world, "offsets", "show")[0]["lost"] is False
        (back,) = asked(world, "offsets", "reset", "--topic", world.users, "--to-earliest", "--execute")
        assert back["lost"] is None
        assert projector.terminate() == 0


async def test_a_server_that_does_not_answer_is_exit_status_3(world: World) -> None:
    nowhere = "127.0.0.1:1"
    no_database = world.settings | {"NEON_DATABASE_URL": f"postgresql://nobody@{nowhere}/none"}
    no_kafka = world.settings | {"KAFKA_BOOTSTRAP_SERVERS": nowhere}
    for words in (["offsets", "show"], ["status"], ["explain", "0" * 32], ["dead-letters", "list"], ["parked", "list"]):
        done = command(*words, settings=no_database)
        assert (words, done.returncode, "Traceback" in done.stderr) == (words, 3, False)
    for words in (["offsets", "show"], ["status"], ["offsets", "reset", "--all-topics", "--to-latest"]):
        done = command(*words, settings=no_kafka)
        assert (words, done.returncode, "Traceback" in done.stderr) == (words, 3, False)
