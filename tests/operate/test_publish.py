"""`projector publish` on a real broker: what is sent is what the service reads; what is bad is not sent."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.partitioner import murmur2
from typer.testing import CliRunner

from neon_projector.consumer.admin.publish import publish as run
from neon_projector.consumer.admin.publish.lines import opened
from neon_projector.consumer.admin.publish.sending import Sent
from neon_projector.consumer.cli.app import app
from neon_projector.consumer.demo.servers.broker import create_topics, embedded_broker
from neon_projector.consumer.environment import load_kafka_settings
from neon_projector.consumer.errors import Refused, TopicMissing, TransientError
from neon_projector.projections.contract.words.of_states import CONFLICT
from neon_projector.projections.registry import REGISTRY
from tests.operate.commands import told
from tests.support.factories import a_document_event, a_user_event
from tests.support.projector import running_projector
from tests.support.world import World

ADA, NOTES = UUID(int=1), UUID(int=3)
BAD = a_user_event(id=UUID(int=9), version=0)


def written(path: Path, *events: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return str(path)


async def records(world: World) -> list[Any]:
    """All that stands in the topic of users."""
    client = AIOKafkaConsumer(world.users, bootstrap_servers=world.bootstrap, auto_offset_reset="earliest")
    async with client:
        ends = await client.end_offsets(client.assignment())
        found: list[Any] = []
        async with asyncio.timeout(30):
            while len(found) < sum(ends.values()):
                found += [one for part in (await client.getmany(timeout_ms=500)).values() for one in part]
    return found


async def test_what_is_right_is_published_in_either_mode_and_read_by_the_service(world: World, tmp_path: Path) -> None:
    await world.create_topics(partitions=3)
    users = [a_user_event(id=UUID(int=number), name=f"user {number}") for number in range(1, 31)]
    file = written(tmp_path / "events.jsonl", *users[:20], BAD, *users[20:], a_document_event(id=NOTES, owner=ADA))
    more = written(tmp_path / "more.jsonl", a_user_event("updated", ADA, 2, name="Ada L."))
    problem, whole = await publish(world, file, "--json", status=1)
    assert (problem["file"], problem["line"], problem["reason"]) == (file, 21, "invalid_data")
    assert whole == {"lines": 32, "events": 31, "bad_lines": 1, "warnings": 0, "published": None}
    assert await world.end_offsets() == 0
    with running_projector(world.settings) as projector:
        assert (await publish(world, file, "--json", "--skip-bad", status=1))[-1]["published"] == 31
        assert (await publish(world, more, "--json", "--mode", "binary", "--rate", "1000"))[-1]["published"] == 1
        assert (await publish(world, file, "--json", "--from-line", "31"))[-1]["published"] == 2
        await world.until_consumed(34)
        letters = await letters_of_two_bad_records(world, tmp_path)
        first, *_, whole = await publish(world, letters, "--json", "--skip-bad", status=1)
        assert (first["line"], first["reason"], whole["published"]) == (1, "not_whole", 1)
        await world.until_consumed(37)
        assert projector.terminate() == 0
    assert await world.value("SELECT name FROM users WHERE id = $1", ADA) == "Ada L."
    assert await world.value("SELECT count(*) FROM users") == 31
    assert await world.value("SELECT user_id FROM documents") == ADA
    assert (await world.totals())["superseded"] == 2
    found = [one for one in await records(world) if one.key not in (None, b"another key")]
    assert {int(murmur2(one.key) & 0x7FFFFFFF) % 3 == one.partition for one in found} == {True}
    assert ["ce_type" in dict(one.headers) for one in found].count(True) == 1


async def letters_of_two_bad_records(world: World, folder: Path) -> str:
    """The file with the letters of one that is masked, and of one with another key, in this order."""
    keyed = a_user_event(id=UUID(int=40))
    await world.publish_raw("users", json.dumps(a_user_event(password="hunter2", email="nobody")).encode())
    await world.until_consumed(35)
    await world.publish_raw("users", json.dumps(keyed).encode(), b"another key")
    await world.until_consumed(36)
    await told(world, "dead-letters", "export", str(folder / "letters.jsonl"))
    return str(folder / "letters.jsonl")


def test_a_check_tells_people_the_line_and_what_to_do_and_needs_no_server(tmp_path: Path) -> None:
    file = written(tmp_path / "events.jsonl", a_user_event(id=ADA), BAD, a_user_event(id=ADA, name="Eve"))
    done = checked(file)
    assert done.exit_code == 1
    twice = "version 1: the content that was there first, other content came"
    assert done.stdout.splitlines() == [
        f"{file}:2: invalid_data: data.version: at least 1, 0 came",
        "    Send the version + 1, for all events of the entity.",
        f"{file}:3: warning: version_conflict: {twice} (line 1)",
        f"    {CONFLICT.mend}",
        "3 lines, 2 events, 1 bad line, 1 warning",
    ]
    assert checked("-", input="\n".join(json.dumps(event) for event in (a_user_event(), a_user_event()))).exit_code == 0
    assert "too_large" in checked("-", input="{" + " " * 2_000 + "}", env={"EVENT_MAX_BYTES": "1024"}).stdout
    pretty = checked("-", input=json.dumps(BAD, indent=1), env={"COLUMNS": "500"})
    assert (pretty.exit_code, "jq -c" in pretty.stderr) == (2, True)


def test_a_pipe_is_read_like_a_file() -> None:
    read, write = os.pipe()
    os.write(write, json.dumps(a_user_event()).encode())
    os.close(write)
    assert checked(f"/dev/fd/{read}").stdout == "1 line, 1 event, 0 bad lines, 0 warnings\n"
    os.close(read)


@pytest.mark.parametrize("words", [["check"], ["check", "-"], ["publish", "-", "--check"]], ids=" ".join)
def test_what_the_image_is_given_on_standard_input_is_checked_by_the_same_words(words: list[str]) -> None:
    lines = "".join(json.dumps(event) + "\n" for event in (a_user_event(), BAD))
    done = CliRunner().invoke(app, words, input=lines, env={})
    assert (done.exit_code, done.stdout) == (
        1,
        "-:2: invalid_data: data.version: at least 1, 0 came\n"
        "    Send the version + 1, for all events of the entity.\n"
        "2 lines, 1 event, 1 bad line, 0 warnings\n",
    )
    *_, whole = map(json.loads, CliRunner().invoke(app, [*words, "--json"], input=lines, env={}).stdout.splitlines())
    assert whole == {"lines": 2, "events": 1, "bad_lines": 1, "warnings": 0, "published": None}
    assert CliRunner().invoke(app, words, input=json.dumps(a_user_event()), env={}).exit_code == 0


@pytest.mark.parametrize("given", ["", "\n \n"])
def test_where_no_event_came_check_does_not_say_that_all_is_well(given: str) -> None:
    """`docker run` without -i gives a command an empty standard input."""
    done = CliRunner().invoke(app, ["check"], input=given, env={"COLUMNS": "200"})
    assert (done.exit_code, done.stdout, "-i" in done.stderr) == (2, "", True)


def checked(file: str, **more: Any) -> Any:
    return CliRunner().invoke(app, ["publish", file, "--check"], **{"env": {}, **more})


def test_of_many_problems_people_are_shown_a_hundred(tmp_path: Path) -> None:
    file = written(tmp_path / "events.jsonl", *[BAD] * 150)
    shown = checked(file).stdout.splitlines()
    assert (len(shown), shown[-2]) == (202, "and 50 more: --json has all")


def test_a_reason_is_explained_by_all_that_is_said_under_it() -> None:
    shown = CliRunner().invoke(app, ["publish", "--explain", "missing_time"])
    assert (shown.exit_code, shown.stdout.splitlines()[0]) == (
        0,
        "‹field›: required where the event has no time, both are absent",
    )
    told = CliRunner().invoke(app, ["publish", "--explain", "invalid_data", "--json"]).stdout.splitlines()
    assert {tuple(json.loads(one)) for one in told} == {("reason", "said", "cause", "mend")}
    assert CliRunner().invoke(app, ["publish", "x.jsonl", "--explain", "invalid_data"]).exit_code == 2


def test_where_no_broker_is_or_no_topic_it_says_how_to_go_on(kafka: str, tmp_path: Path) -> None:
    file = written(tmp_path / "events.jsonl", a_user_event(id=ADA))
    away = sent(file, {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"})
    assert isinstance(away, TransientError)
    assert away.__notes__ == ["0 published", f"Next: projector publish {file} --mode structured --from-line 1"]
    missing = sent(file, {"KAFKA_BOOTSTRAP_SERVERS": kafka, "USERS_TOPIC": "nowhere"})
    assert isinstance(missing, TopicMissing)
    assert "'nowhere' (USERS_TOPIC)" in str(missing)
    assert "KAFKA_BOOTSTRAP_SERVERS is not set" in str(sent(file, {"KAFKA_BOOTSTRAP_SERVERS": ""}))


def sent(file: str, settings: dict[str, str]) -> BaseException | None:
    """How it ends."""
    return CliRunner().invoke(app, ["publish", file], env=settings).exception


async def publish(world: World, *words: str, status: int = 0) -> list[Any]:
    """What is printed, a JSON object each line."""
    environment = {**world.settings, "NEON_DATABASE_URL": ""}
    done = await asyncio.to_thread(CliRunner().invoke, app, ["publish", *words], env=environment)
    assert done.exit_code == status, (done.output, done.exception)
    return [json.loads(line) for line in done.stdout.splitlines()]


async def test_what_is_interrupted_goes_on_behind_the_last_line_that_the_broker_has(
    world: World, tmp_path: Path
) -> None:
    await world.create_topics()
    users = [a_user_event(id=UUID(int=number)) for number in range(1, 101)]
    file, settings, sent = written(tmp_path / "events.jsonl", *users), load_kafka_settings(world.settings), Sent()

    def told(number: int) -> None:
        if number == 10 and not task.cancelling():
            task.cancel()

    with opened(file) as source:
        task = asyncio.create_task(run.publish(source, REGISTRY, settings, run.Way(rate=500), sent, told))
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        assert 10 <= sent.line == sent.number < 100
        (rest,) = await publish(world, file, "--json", "--from-line", str(sent.line + 1))
        assert rest["published"] == 100 - sent.line
    assert {one.key.decode() for one in await records(world)} == {event["data"]["id"] for event in users}
    large = written(tmp_path / "large.jsonl", a_user_event(id=ADA, note="x" * 9 * 2**20))
    settings = load_kafka_settings(world.settings | {"EVENT_MAX_BYTES": str(16 * 2**20)})
    with opened(large) as source, pytest.raises(Refused, match=r"line 1: its record is too large for the topic"):
        await run.publish(source, REGISTRY, settings, run.Way(), Sent(), lambda _: None)


async def test_a_broker_that_gives_no_producer_ids_gets_the_events_too(tmp_path: Path) -> None:
    file = written(tmp_path / "events.jsonl", a_user_event(id=ADA), a_user_event("updated", ADA, 2, name="x"))
    with embedded_broker() as broker:
        await create_topics(broker.address, ["users"], partitions=1)
        environment = {"KAFKA_BOOTSTRAP_SERVERS": broker.address, "USERS_TOPIC": "users", "COLUMNS": "500"}
        done = await asyncio.to_thread(CliRunner().invoke, app, ["publish", file], env=environment)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (
        0,
        "2 lines, 2 events, 0 bad lines, 0 warnings, 2 published",
    )
    assert "an event may be in the topic twice. The tables stay the same." in done.stdout
