"""What `projector replay` does not do, and says why."""

import asyncio
import json
import signal
import sys

import pytest

from neon_projector.consumer.cli import replay as cli
from neon_projector.consumer.errors import Refused
from tests.operate.commands import failed, printed, told
from tests.operate.replaying import REPLAY, REPLAYED, begin, fill
from tests.support.projector import command
from tests.support.topics import delete_topics
from tests.support.world import World


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
    await interrupted(world, *REPLAY)
    await world.rows('UPDATE projector.operations SET filter = filter || \'{"group_id": "theirs"}\'')
    assert "is of the group theirs" in str(await failed(world, "operations", "resume", "1"))
    group = json.dumps({"group_id": world.group})
    await world.rows(f"UPDATE projector.operations SET filter = filter || '{group}'")
    await world.rows("UPDATE projector.offsets SET topic_id = 'AAAAAAAAAAAAAAAAAAAAAA' WHERE topic = $1", world.users)
    reads_the_new_one = f"projector offsets reset --topic {world.users} --to-earliest"
    for words in (("operations", "resume", "1"), ("replay", "--topic", world.users)):
        error = await failed(world, *words)
        assert isinstance(error, Refused)
        assert f"{world.users} was created again" in str(error)
        assert str(error).endswith(reads_the_new_one)
    assert await world.value("SELECT state FROM projector.operations") == "failed"
    planned = {row["topic"]: row for row in (await told(world, "replay", "--all-topics"))["partitions"]}
    assert (planned[world.users]["records"], planned[world.users]["lost"] > 0) == (0, True)
    assert (planned[world.documents]["records"] > 0, planned[world.documents]["lost"]) == (True, 0)


async def test_what_a_topic_held_that_was_deleted_is_not_counted_as_lost_in_silence(world: World) -> None:
    await fill(world)
    await interrupted(world, *REPLAY)
    await delete_topics(world.bootstrap, world.documents)
    error = await failed(world, "operations", "resume", "1", "--max-rate", "0")
    assert isinstance(error, Refused)
    assert f"Kafka does not have {world.documents} any more" in str(error)
    assert error.__notes__ == ["to give it up: projector operations cancel 1"]
    assert await world.value("SELECT state FROM projector.operations") == "failed"
    await told(world, "operations", "cancel", "1")
    positions = await world.rows("SELECT topic, partition, next_offset FROM projector.offsets ORDER BY 1, 2")
    rest = await told(world, *REPLAY, exit_status=1)
    assert rest["lost"] == {
        f"{row['topic']}:{row['partition']}": [[0, row["next_offset"]]]
        for row in positions if row["topic"] == world.documents
    }  # fmt: skip
    read = sum(row["next_offset"] for row in positions if row["topic"] == world.users)
    assert (rest["total"], sum(rest["outcomes"].values()), rest["left_out"]) == (read, read, 0)
    assert f"{world.documents}:0: Kafka no longer has the records" in await printed(world, *REPLAY)
    for words in (("--topic", world.documents), ("--topic", f"{world.documents}:0", "--topic", world.users)):
        gone = str(await failed(world, "replay", *words))
        assert f"Kafka does not have {world.documents}:0" in gone
    assert gone.endswith(f"; for the others give --topic {world.users}")
    reset = ("offsets", "reset", "--all-topics", "--to-earliest")
    assert str(await failed(world, *reset)).endswith(f"; for the others give --topic {world.users}")


async def interrupted(world: World, *words: str) -> None:
    """A replay that has begun, and is paused."""
    runner = begin(world, *words, "--max-rate", "20")
    await world.until(f"{REPLAYED} > 0", True)
    runner.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(runner.wait) == 130
