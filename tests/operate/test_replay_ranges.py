"""Which range `projector replay` reads: what was asked for, what Kafka still has, and what it no longer has."""

import asyncio
import json
import signal

from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from tests.operate.commands import printed, told
from tests.operate.replaying import APPLIED, OF_REPLAY, REPLAY, REPLAYED, begin, delete, everything, fill
from tests.support.projector import running_projector
from tests.support.world import World


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


async def test_interrupted_it_goes_on_over_what_retention_took_meanwhile(world: World) -> None:
    await fill(world)
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
    result = await told(world, "operations", "resume", "1", "--max-rate", "0", exit_status=1)
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
