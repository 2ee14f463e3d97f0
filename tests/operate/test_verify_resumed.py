"""`verify` that is killed or interrupted anywhere goes on, finds the same, and leaves nothing behind."""

import asyncio
import json
import os
import random
import resource
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from bench.events import Mix
from bench.publish import publish
from neon_projector.consumer.cli.niceness import NICENESS
from tests.support.projector import Process, command, eventually, running_projector, start
from tests.support.topics import create_topics, delete_topics
from tests.support.world import World

MIX = Mix(users=6_000, documents=12_000, updates=12_000)
KILLS = 6
LEFT = "SELECT count(*)::int FROM pg_class WHERE relname LIKE 'operation\\_%'"
NEWEST = "SELECT max(id) FROM projector.operations WHERE command = 'verify'"
COPIED = "SELECT position ->> 'copied' = 'true' FROM projector.operations ORDER BY id DESC LIMIT 1"
DIRECTORY = "SELECT position ->> 'directory' FROM projector.operations ORDER BY id DESC LIMIT 1"
STATE = "SELECT state FROM projector.operations WHERE id = $1"


async def test_it_goes_on_from_where_it_was_killed(world: World, tmp_path: Path) -> None:
    rng = random.Random(11)
    settings = world.settings | {"TMPDIR": str(tmp_path)}
    await world.create_topics(partitions=2)
    await publish(world.bootstrap, world.topics, MIX.events())
    with running_projector(world.settings):
        await world.until_consumed(MIX.total)
    await world.rows("UPDATE users SET name = 'forged' WHERE id = (SELECT id FROM users LIMIT 1)")
    whole = json.loads(command("verify", "--json", settings=settings).stdout)
    assert (whole["verdict"], whole["kinds"]) == ("differs", {"different": 1})

    begun = begin(settings, "verify", "--json")
    operation = await eventually_id(world, whole["operation"])
    for number in range(KILLS):
        await asyncio.sleep(rng.uniform(0, 0.5))
        begun.kill()
        begun.communicate()
        if await world.value(STATE, operation) == "completed":
            break
        if number == KILLS // 2:
            forget(tmp_path)
        begun = begin(settings, "operations", "resume", str(operation), "--json")
    told, errors = begun.communicate(timeout=120)
    if await world.value(STATE, operation) != "completed":  # it was killed before it could be begun
        resumed = command("operations", "resume", str(operation), "--json", settings=settings, timeout=120)
        told, errors = resumed.stdout.encode(), resumed.stderr.encode()
    kept = json.loads(command("operations", "show", str(operation), "--json", settings=settings).stdout)["after"]
    assert kept == {name: value for name, value in whole.items() if name in kept} | {"operation": operation}, errors
    if told:
        assert same(json.loads(told)) == same(whole), errors
    else:  # killed after its end, before it had printed that, and maybe before it had tidied up: the next one does that
        assert command("verify", settings=settings).returncode == 1
    assert await world.value(LEFT) == 0
    assert left(tmp_path) == []


async def test_what_one_killed_after_its_end_has_left_the_next_one_drops(world: World, tmp_path: Path) -> None:
    settings = world.settings | {"TMPDIR": str(tmp_path)}
    await applied(world, 60)
    begun = await begun_slowly(world, settings)
    begun.kill()
    begun.communicate()
    await world.rows("UPDATE projector.operations SET state = 'completed', outcome = 'equal'")
    assert (await world.value(LEFT) > 0, len(left(tmp_path))) == (True, 1)
    assert command("verify", settings=settings).returncode == 0
    assert await world.value(LEFT) == 0
    assert left(tmp_path) == []


async def test_ctrl_c_pauses_it_and_cancel_leaves_nothing(world: World, tmp_path: Path) -> None:
    settings = world.settings | {"TMPDIR": str(tmp_path)}
    await applied(world, 3)
    async with world.locked("users"):  # the snapshot waits
        begun = begin(settings, "verify")
        operation = await eventually_id(world, 0)
        eventually("it has begun", lambda: left(tmp_path))
        assert os.getpriority(os.PRIO_PROCESS, begun.pid) == NICENESS
        begun.send_signal(signal.SIGINT)
        _, errors = await asyncio.to_thread(begun.communicate, timeout=20)
    assert (begun.returncode, await world.value(STATE, operation)) == (130, "paused")
    assert f"projector operations resume {operation}" in errors.decode()
    assert command("operations", "cancel", str(operation), settings=settings).returncode == 0
    nobody = settings | {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    assert command("verify", settings=nobody).returncode == 3
    assert len(left(tmp_path)) == 2
    assert command("verify", settings=settings).returncode == 0
    assert await world.value(LEFT) == 0
    assert left(tmp_path) == []


async def test_who_takes_it_over_uses_nothing_that_is_not_its_own(world: World, tmp_path: Path) -> None:
    """Neither what a runner still writes that is only stopped (Ctrl-Z), nor what another version has written, nor the
    positions of another group."""
    settings = world.settings | {"TMPDIR": str(tmp_path)}
    await applied(world, 60)
    stopped = await begun_slowly(world, settings)
    try:
        stopped.send_signal(signal.SIGSTOP)
        resume, directory = ("operations", "resume", str(await world.value(NEWEST))), await world.value(DIRECTORY)
        await world.rows(
            "INSERT INTO projector.offsets (group_id, topic, partition, next_offset) VALUES ('o', 't', 0, 0)"
        )
        theirs = command(*resume, settings=settings | {"KAFKA_GROUP_ID": "o"})
        assert (theirs.returncode, "is of the group" in theirs.stderr) == (4, True), theirs.stderr
        slow = begin(settings, *resume, "--max-rate", "20")
        await world.until(f"SELECT ({COPIED}) AND ({DIRECTORY}) <> '{directory}'", True)
        slow.kill()
        slow.communicate()
        directory = await world.value(DIRECTORY)
        await world.rows('UPDATE projector.operations SET position = position || \'{"shape": "another"}\'')
        done = command(*resume, "--max-rate", "0", "--json", settings=settings)
        assert json.loads(done.stdout)["verdict"] == "equal", done.stderr
        assert await world.value(DIRECTORY) != directory
    finally:
        stopped.send_signal(signal.SIGCONT)
    _, errors = await asyncio.to_thread(stopped.communicate, timeout=30)
    assert stopped.returncode == 4, errors


@pytest.mark.parametrize("killed", [True, False], ids=["and it with it", "and it lives"])
async def test_a_database_that_crashed_meanwhile_has_lost_the_copy_and_it_is_taken_again(
    world: World, tmp_path: Path, killed: bool
) -> None:
    settings = world.settings | {"TMPDIR": str(tmp_path)}
    await applied(world, 60)
    begun = await begun_slowly(world, settings)
    if killed:
        begun.kill()
        begun.communicate()
    for row in await world.rows("SELECT relname FROM pg_class WHERE relname LIKE 'operation\\_%' AND relkind = 'r'"):
        await world.rows(f'TRUNCATE projector."{row["relname"]}"')  # so does a crash to tables that are not logged
    operation = await world.value(NEWEST)
    if not killed:
        _, errors = await asyncio.to_thread(begun.communicate, timeout=30)
        assert begun.returncode == 3, errors
        assert b"has crashed" in errors
        assert f"projector operations resume {operation}" in errors.decode()
    resumed = command("operations", "resume", str(operation), "--max-rate", "0", "--json", settings=settings)
    assert json.loads(resumed.stdout)["verdict"] == "equal", resumed.stderr


async def test_where_a_topic_was_left_for_another_one_meanwhile_it_begins_again(world: World, tmp_path: Path) -> None:
    """Up to the positions of its snapshot, which are of the old topic, the new one has other records."""
    settings = world.settings | {"TMPDIR": str(tmp_path)}
    await applied(world, 60)
    begun = await begun_slowly(world, settings)
    begun.kill()
    begun.communicate()
    await delete_topics(world.bootstrap, world.users)
    await create_topics(world.bootstrap, world.users)
    await world.publish_users(70)
    words = ("offsets", "reset", "--topic", world.users, "--to-earliest", "--execute")
    assert (await asyncio.to_thread(command, *words, settings=settings)).returncode == 0
    with running_projector(world.settings):
        await world.until_consumed(70)
    resume = ("operations", "resume", str(await world.value(NEWEST)), "--max-rate", "0", "--json")
    resumed = await asyncio.to_thread(command, *resume, settings=settings)
    report = json.loads(resumed.stdout)
    assert (report["verdict"], report["kinds"]) == ("unprovable", {"unprovable": 60}), resumed.stderr


async def test_one_whose_disk_is_full_goes_on_where_the_sentence_says(world: World, tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: the runner can write no more."""
    places = full, other = [tmp_path / name for name in ("full", "other")]
    for place in places:
        place.mkdir()
    await applied(world, 60)
    begun = await begun_slowly(world, world.settings | {"TMPDIR": str(full)})
    resource.prlimit(begun.pid, resource.RLIMIT_FSIZE, (2_000, 2_000))  # bytes: enough for what it says itself
    _, errors = await asyncio.to_thread(begun.communicate, timeout=60)
    assert (begun.returncode, b"TMPDIR names another one" in errors) == (3, True), errors
    resume = ("operations", "resume", str(await world.value(NEWEST)))
    settings = world.settings | {"TMPDIR": str(other)}
    resumed = command(*resume, "--max-rate", "0", "--json", settings=settings)
    assert json.loads(resumed.stdout)["verdict"] == "equal", resumed.stderr
    assert Path(await world.value(DIRECTORY)).parent == other
    assert [left(place) for place in places] == [[], []]


async def applied(world: World, users: int) -> None:
    """The service has applied so many, and has ended."""
    await world.create_topics()
    await world.publish_users(users)
    with running_projector(world.settings):
        await world.until_consumed(users)


async def begun_slowly(world: World, settings: dict[str, str]) -> Process:
    """A verify that has copied the tables, and reads on for a while."""
    begun = begin(settings, "verify", "--max-rate", "20")
    await world.until(f"SELECT count(*)::int FROM ({NEWEST}) n WHERE ({COPIED})", 1)
    return begun


def begin(settings: dict[str, str], *words: str) -> Process:
    return start(*words, settings=settings)


async def eventually_id(world: World, after: int) -> int:
    await world.until(f"SELECT coalesce(({NEWEST}), 0) > {after}", True)
    newest: int = await world.value(NEWEST)
    return newest


def same(report: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in report.items() if name != "operation"}


def left(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def forget(directory: Path) -> None:
    for path in directory.iterdir():
        shutil.rmtree(path)
