"""`projector replay`: a range read again beside the running service, once however often it is interrupted."""

import asyncio
import json
import random
import signal
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from bench.events import Mix
from bench.publish import publish
from neon_projector.consumer.admin.replay import patience
from neon_projector.consumer.cli import replay as cli
from neon_projector.consumer.errors import Refused, TransientError
from tests.operate.commands import failed, printed, told
from tests.support.factories import ARecord, a_document_event, a_record, a_user_event
from tests.support.forked import forked_command
from tests.support.projector import PROJECTOR, command, environment, eventually, running_projector
from tests.support.world import World

REPLAY = ("replay", "--all-topics", "--execute")
TABLES = ("users", "documents", "projector.absent_states", "projector.parked_events", "projector.dead_letters")
LIVE = """
    SELECT topic, partition, next_offset, epoch, applied, superseded, parked, rejected, ignored, skipped
    FROM projector.offsets WHERE group_id NOT LIKE 'operation:%' ORDER BY 1, 2"""
LEFT = """
    SELECT (SELECT count(*) FROM pg_class WHERE relname ~ '^operation_[0-9]' AND relkind = 'r')
        + (SELECT count(*) FROM projector.offsets WHERE group_id LIKE 'operation:%')"""
OF_REPLAY = "WHERE group_id LIKE 'operation:%'"
REPLAYED = f"SELECT (SELECT coalesce(sum(next_offset), 0)::int FROM projector.offsets {OF_REPLAY})"
APPLIED = "SELECT coalesce(sum(next_offset), 0)::int FROM projector.offsets WHERE group_id NOT LIKE 'operation:%'"


async def everything(world: World) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, each with the transaction that made it."""
    return {table: await world.rows(f"SELECT xmin::text, * FROM {table} ORDER BY 2, 3, 4") for table in TABLES}


async def contents(world: World) -> dict[str, list[dict[str, Any]]]:
    """What the two tables show."""
    return {table: await world.rows(f"SELECT * FROM {table} ORDER BY id") for table in ("users", "documents")}


async def of_every_kind(world: World) -> list[ARecord]:
    """Records that are shown, hidden, parked, contested, deleted, rejected and ignored when all are applied."""
    shown, gone, holder = uuid4(), uuid4(), uuid4()
    address = f"{holder.hex}@example.com"
    kept = [a_user_event(id=shown), a_user_event("updated", id=shown, version=2, name="Bo")]
    kept += [a_user_event(id=gone), a_document_event(owner=gone), a_user_event("deleted", id=gone, version=2)]
    kept += [a_user_event(id=holder, email=address), a_user_event(email=address)]
    kept += [
        a_document_event(owner=shown),
        a_document_event(owner=uuid4()),
        a_user_event("updated", version=7, name="C"),
    ]
    bad, ignored = ARecord(b"{", str(uuid4()).encode()), ARecord(None, str(uuid4()).encode())
    return [*map(a_record, kept), bad, ignored]


@pytest.fixture
async def filled(world: World) -> World:
    """A world whose service has applied records of every kind, and is not running."""
    await world.create_topics(partitions=2)
    await world.publish([one for _ in range(20) for one in await of_every_kind(world)])
    with running_projector(world.settings) as projector:
        await world.until_consumed(240)
        assert projector.terminate() == 0
    return world


async def test_everything_replayed_twice_beside_the_service_touches_no_row(filled: World) -> None:
    world = filled
    with running_projector(world.settings) as projector:
        eventually("it is ready", lambda: projector.get("/health/ready")[0] == 200)
        await world.rows("UPDATE projector.absent_states SET since = now() - interval '90 days'")  # long past the grace
        before, live = await everything(world), await world.rows(LIVE)
        for _ in range(2):
            done = await told(world, *REPLAY)
            assert done["total"] == 240
            assert sum(done["outcomes"].values()) == 240
            assert done["outcomes"]["applied"] == 0
            assert (done["outcomes"]["rejected"], done["outcomes"]["ignored"]) == (20, 20)
            assert (done["left_out"], done["lost"]) == (0, {})
        assert await everything(world) == before
        assert await world.rows(LIVE) == live
        assert "projector_fenced_total 0" in projector.get("/metrics")[1]
        await world.publish_users(3)
        await world.until(APPLIED, 243)
        assert projector.terminate() == 0
    assert await world.value(LEFT) == 0
    states = await world.rows("SELECT state, done, total, after FROM projector.operations")
    assert [(row["state"], row["done"], row["total"]) for row in states] == [("completed", 240, 240)] * 2


async def test_what_is_missing_is_restored_by_its_key_alone(filled: World) -> None:
    world = filled
    before = await contents(world)
    lost = await world.value("SELECT user_id FROM documents LIMIT 1")
    kept = await world.rows("SELECT xmin::text, id FROM users WHERE id <> $1 ORDER BY id", lost)
    document = await world.value("SELECT id FROM documents WHERE user_id = $1", lost)
    await world.rows("DELETE FROM users WHERE id = $1", lost)
    for key in (str(lost), document.hex.upper()):  # an id however it is written
        assert (await told(world, *REPLAY, "--key", str(uuid4()), "--key", key))["outcomes"]["applied"] >= 1
    assert await contents(world) == before
    assert await world.rows("SELECT xmin::text, id FROM users WHERE id <> $1 ORDER BY id", lost) == kept


async def test_a_dry_run_has_numbers_by_partition_and_changes_nothing(filled: World) -> None:
    world = filled
    before = await everything(world)
    planned = await told(world, "replay", "--topic", f"{world.users}:0", "--from", "3", "--to", "10")
    assert planned == {
        "executed": False,
        "total": 7,
        "partitions": [{"topic": world.users, "partition": 0, "from": 3, "to": 10, "records": 7, "lost": 0}],
    }
    whole = await told(world, "replay", "--all-topics", "--from", "PT1H")
    assert (whole["total"], len(whole["partitions"])) == (240, 4)
    assert (await told(world, "replay", "--all-topics", "--to", "2020-01-01T00:00:00Z"))["total"] == 0
    await world.publish_users(5)  # not applied yet: that is the service's own
    assert (await told(world, "replay", "--all-topics"))["total"] == 240
    assert "up to 240 records are read: a dry run" in await printed(world, "replay", "--all-topics")
    assert await everything(world) == before
    assert await world.rows("SELECT * FROM projector.operations") == []


async def test_wrong_arguments_and_servers_that_are_away_have_their_exit_status(world: World) -> None:
    def status(*words: str, **settings: str) -> int:
        done = command("replay", *words, settings=world.settings | settings)
        assert "Traceback" not in done.stderr
        return done.returncode

    await world.create_topics()
    for words in (
        (), ("--all-topics", "--topic", world.users), ("--topic", "nobody"), ("--all-topics", "--from", "yesterday"),
        ("--all-topics", "--to", "-5"), ("--all-topics", "--max-rate", "0"), ("--all-topics", "--from", "P1X"),
    ):  # fmt: skip
        assert isinstance(error := await failed(world, "replay", *words), SystemExit)
        assert error.code == 2, words
    assert status("--all-topics", KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1") == 3
    assert status("--all-topics", NEON_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none") == 3
    assert status("--all-topics", "--execute") == 4  # the service has never run


async def test_more_than_a_million_want_a_second_yes(filled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "MANY", 200)
    assert "240 offsets are more than 200: say --yes" in str(await failed(filled, *REPLAY))
    assert await filled.rows("SELECT * FROM projector.operations") == []
    assert (await told(filled, *REPLAY, "--yes"))["total"] == 240

    questions: list[str] = []
    monkeypatch.setattr(cli, "confirm", lambda question, _: questions.append(question))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    for total in (200, 201):
        cli.confirm_size(total, yes=False)
    assert questions == [
        "read 200 offsets again?", "read 201 offsets again?", "these are more than 200; really?",
    ]  # fmt: skip


async def test_offsets_of_another_topic_or_group_are_not_replayed(filled: World) -> None:
    world = filled
    runner = begin(world, *REPLAY, "--max-rate", "20")
    await world.until(f"{REPLAYED} > 0", True)
    runner.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(runner.wait) == 130
    await world.rows('UPDATE projector.operations SET filter = filter || \'{"group_id": "theirs"}\'')
    assert "is of the group theirs" in str(await failed(world, "operations", "resume", "1"))
    group = json.dumps({"group_id": world.group})
    await world.rows(f"UPDATE projector.operations SET filter = filter || '{group}'")
    await world.rows("UPDATE projector.offsets SET topic_id = 'AAAAAAAAAAAAAAAAAAAAAA' WHERE topic = $1", world.users)
    for words in (("operations", "resume", "1"), REPLAY):
        assert "the topic was created again" in str(error := await failed(world, *words))
        assert isinstance(error, Refused)
    assert await world.value("SELECT state FROM projector.operations") == "failed"


async def test_killed_at_ten_random_places_it_restores_everything_and_leaves_nothing_behind(world: World) -> None:
    await world.create_topics(partitions=2)
    mix, chance = Mix(users=800, documents=1_600, updates=1_600, partial=0.3), random.Random(20)
    await publish(world.bootstrap, {"users": world.users, "documents": world.documents}, mix.events())
    with running_projector(world.settings) as projector:
        await world.until(APPLIED, mix.total)
        assert projector.terminate() == 0
    before, live = await contents(world), await world.rows(LIVE)
    await world.rows("TRUNCATE users CASCADE")
    runner = forked_command(world.settings, *REPLAY, "--max-rate", "400")
    await world.until("SELECT count(*)::int FROM projector.operations", 1)
    for number in range(10):
        claimed = f"SELECT coalesce(sum(epoch), 0)::int FROM projector.offsets {OF_REPLAY}"
        await world.until(claimed, 4 * (number + 1))
        done = await world.value(REPLAYED)
        await world.until(f"{REPLAYED} >= {done + chance.randrange(200)}", True)
        await asyncio.sleep(chance.random() / 50)  # any place within a batch
        runner.kill()
        await asyncio.to_thread(runner.join)
        assert runner.exitcode == -signal.SIGKILL
        runner = forked_command(world.settings, "operations", "resume", "1")
    await world.until(claimed, 44)
    runner.kill()
    runner.join()
    await world.rows("UPDATE projector.operations SET filter = filter - 'max_rate'")
    result = await told(world, "operations", "resume", "1")
    assert sum(result["outcomes"].values()) == result["total"] == mix.total
    assert (result["left_out"], result["lost"]) == (0, {})
    assert await contents(world) == before
    assert await world.rows(LIVE) == live
    assert await world.value(LEFT) == 0
    assert await world.value("SELECT state FROM projector.operations") == "completed"


async def test_interrupted_it_goes_on_over_what_retention_took_meanwhile(filled: World) -> None:
    world = filled
    runner = begin(world, "replay", "--topic", world.users, "--execute", "--max-rate", "20")
    await world.until(f"{REPLAYED} > 0", True)
    runner.send_signal(signal.SIGINT)
    _, err = await asyncio.to_thread(runner.communicate)
    assert runner.returncode == 130
    assert b"Paused; to go on: projector operations resume 1" in err
    assert await world.value("SELECT state FROM projector.operations") == "paused"
    reached = {
        row["partition"]: row["next_offset"] for row in await world.rows(f"SELECT * FROM projector.offsets {OF_REPLAY}")
    }
    gone = {TopicPartition(world.users, number): RecordsToDelete(at + 5) for number, at in reached.items()}
    await delete(world, gone)
    await world.rows("UPDATE projector.operations SET filter = filter - 'max_rate'")
    result = await told(world, "operations", "resume", "1", exit_status=1)
    assert result["lost"] == {f"{world.users}:{number}": [[at, at + 5]] for number, at in reached.items()}
    assert sum(result["outcomes"].values()) + 10 == result["total"]
    assert result["left_out"] == 0
    after = (await told(world, "operations", "show", "1"))["after"]
    assert after == {name: result[name] for name in ("outcomes", "left_out", "lost")}
    said = await printed(world, "replay", "--topic", world.users, "--from", "0")
    assert f"{reached[0] + 5} are gone from Kafka" in said
    again = await told(world, "replay", "--topic", f"{world.users}:0", "--from", "0", "--execute", exit_status=1)
    assert again["lost"] == {f"{world.users}:0": [[0, reached[0] + 5]]}
    assert sum(again["outcomes"].values()) == again["total"]


async def test_what_is_deleted_while_it_reads_is_named_and_the_rest_is_read(world: World) -> None:
    await world.create_topics()
    for _ in range(30):  # more than the client fetches ahead, each in a batch of its own
        await world.publish_raw("users", b"x" * 500_000)
    with running_projector(world.settings) as projector:
        await world.until(APPLIED, 30)
        assert projector.terminate() == 0
    runner = begin(world, *REPLAY, "--max-rate", "5", "--json")
    await world.until(f"{REPLAYED} > 1", True)
    await delete(world, {TopicPartition(world.users, 0): RecordsToDelete(25)})
    out, _ = await asyncio.to_thread(runner.communicate)
    result = json.loads(out)
    ((start, end),) = result["lost"][f"{world.users}:0"]
    assert (runner.returncode, end, 1 < start < 25) == (1, 25, True)
    assert result["outcomes"]["rejected"] == start + 5
    assert result["left_out"] == 0


async def delete(world: World, before: dict[TopicPartition, RecordsToDelete]) -> None:
    """As retention does."""
    admin = AIOKafkaAdminClient(bootstrap_servers=world.bootstrap)
    await admin.start()
    try:
        await admin.delete_records(before)
    finally:
        await admin.close()


async def test_of_two_runners_the_earlier_is_fenced_and_a_cancelled_one_stops(filled: World) -> None:
    world = filled
    runner = begin(world, *REPLAY, "--max-rate", "20")
    await world.until(f"{REPLAYED} > 0", True)
    await world.rows("UPDATE projector.operations SET filter = filter - 'max_rate'")
    result = await told(world, "operations", "resume", "1")
    assert sum(result["outcomes"].values()) == result["total"] == 240
    _, err = await asyncio.to_thread(runner.communicate)
    assert (runner.returncode, b"Somebody else goes on with it" in err) == (4, True)

    runner = begin(world, *REPLAY, "--max-rate", "20")
    await world.until(f"{REPLAYED} > 0", True)
    assert (await told(world, "operations", "cancel", "2"))["state"] == "cancelled"
    _, err = await asyncio.to_thread(runner.communicate)
    assert (runner.returncode, b"Somebody has cancelled it" in err) == (4, True)
    assert await world.value(LEFT) == 0
    assert isinstance(await failed(world, "operations", "resume", "2"), Refused)
    states = await world.rows("SELECT state FROM projector.operations ORDER BY id")
    assert [row["state"] for row in states] == ["completed", "cancelled"]


async def test_a_database_that_is_lost_for_long_leaves_it_resumable(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, name = filled, urlsplit(filled.database_url).path[1:]
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 0.5)
    server = await asyncpg.connect(urlsplit(world.database_url)._replace(path="/postgres").geturl())
    replaying = asyncio.create_task(failed(world, *REPLAY, "--max-rate", "100"))
    await world.until(f"{REPLAYED} > 0", True)
    await server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    await server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    error = await replaying
    assert isinstance(error, TransientError)
    await server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    await server.close()
    assert await world.value("SELECT state FROM projector.operations") == "running"
    result = await told(world, "operations", "resume", "1")
    assert sum(result["outcomes"].values()) == result["total"] == 240
    assert await world.value(LEFT) == 0


def begin(world: World, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [PROJECTOR, *words], env=environment(world.settings), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
