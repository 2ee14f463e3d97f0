"""What holds of every command: how it fails, and what it prints. Their own examples say how they are called."""

import asyncio
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from typer.core import TyperGroup
from typer.testing import CliRunner

from neon_projector.consumer.cli.app import app
from neon_projector.consumer.cli.examples import AN_ID
from neon_projector.consumer.errors import ProjectorError
from tests.conftest import TEMPLATE, database_url
from tests.service.test_meaning import ADA, EVE, play
from tests.support.factories import a_document_event, a_user_event
from tests.support.servers import execute
from tests.support.world import World
from tests.unit.test_help import EVERY, examples_of

COMMANDS = [path for path, command in EVERY.items() if not isinstance(command, TyperGroup)]
EXAMPLES = {path: shlex.split(examples_of(EVERY[path])[0])[1:] for path in COMMANDS}
NOWHERE = "127.0.0.1:1"
GOES_ON = {("run",), ("demo",)}
"""These do not end by themselves: `run` waits for servers, `demo` brings its own."""
ASKS_NOBODY = {("check",), ("contract",), ("publish",), ("roles",)}
"""Their first example needs no server."""
PRINTS_A_DOCUMENT = {("contract",), ("migrate",), ("roles",)}
"""Its lines are as long as they are."""
NEEDS_A_FILE = {("undo",)}
ASKS_KAFKA = [
    ["status"], ["offsets", "show"], ["offsets", "reset", "--all-topics", "--to-latest"], ["verify"],
    ["explain", AN_ID, "--from-topic"], ["explain", "--partition", "users:0"], ["rebuild"], ["traffic"],
]  # fmt: skip
WRONG = [
    ["explain"], ["explain", "--email", ""], ["explain", "no-uuid"], ["explain", AN_ID, "--email", "a@example.com"],
    ["explain", "--partition", "users"], ["explain", "--partition", "nowhere:0"], ["pause", "--topic", "nowhere"],
    ["offsets", "reset", "--all-topics"], ["offsets", "reset", "--to-latest"],
    ["offsets", "reset", "--topic", "nowhere", "--to-latest"], ["dead-letters", "show", "0"],
    ["dead-letters", "show", "one"], ["dead-letters", "list", "--limit", "0"], ["parked", "retry"],
    ["parked", "retry", AN_ID, "--all"], ["rebuild", "--entity", "nobody"], ["rebuild", "--id", "nobody"],
    ["rebuild", "--from-verify", "1", "--entity", "user"], ["operations", "show", "0"], ["no-such-command"],
    ["check"], ["check", "none.jsonl"], ["publish"], ["publish", "none.jsonl"], ["publish", "-", "--rate", "0"],
    ["traffic", "--topic", "nowhere"], ["traffic", "--by", "nobody"], ["traffic", "--from", "yesterday"],
    ["traffic", "--limit", "0"], ["traffic", "--from", "2", "--to", "1"],
]  # fmt: skip


def options_of(path: tuple[str, ...]) -> set[str]:
    return {option for parameter in EVERY[path].params for option in parameter.opts}


def called(words: list[str], settings: dict[str, str]) -> tuple[int, str, str]:
    """Exit status, standard output, and what is said about an error."""
    done = CliRunner().invoke(app, words, env=settings)
    if isinstance(done.exception, ProjectorError):
        return done.exception.exit_status, done.stdout, str(done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit), (words, done.exception)
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "events.jsonl").write_text(json.dumps(a_user_event(version=0)) + "\n")


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_an_option_that_there_is_not_is_usage(path: tuple[str, ...]) -> None:
    status, out, error = called([*path, "--no-such-option"], {})
    assert (status, out) == (2, "")
    assert "No such option: --no-such-option" in error


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_a_wrong_argument_is_usage_and_nothing_is_asked(words: list[str]) -> None:
    status, out, error = called(words, nowhere())
    assert (status, out) == (2, "")
    assert re.search(r"Invalid value|Missing argument|No such command", error)


@pytest.mark.parametrize(
    "path", [path for path in COMMANDS if path not in GOES_ON | ASKS_NOBODY | NEEDS_A_FILE], ids=" ".join
)
def test_without_a_database_it_is_status_3_and_one_line(kafka: str, path: tuple[str, ...]) -> None:
    status, out, error = called(EXAMPLES[path], nowhere() | {"KAFKA_BOOTSTRAP_SERVERS": kafka})
    assert (status, out, error.count("\n")) == (3, "", 0)
    assert "Connection refused" in error


@pytest.mark.parametrize("words", ASKS_KAFKA, ids=" ".join)
def test_without_a_broker_what_asks_kafka_is_status_3(busy: World, words: list[str]) -> None:
    status, out, error = called(of_this_world(busy, words), busy.settings | {"KAFKA_BOOTSTRAP_SERVERS": NOWHERE})
    assert (status, out, error.count("\n")) == (3, "", 0), error


@pytest.mark.parametrize("path", [path for path in COMMANDS if "--json" in options_of(path)], ids=" ".join)
def test_with_json_every_line_is_json(busy: World, path: tuple[str, ...]) -> None:
    status, out, _ = called([*of_this_world(busy, EXAMPLES[path]), "--json"], busy.settings)
    assert status in (0, 1, 4)
    assert [json.loads(line) for line in out.splitlines()] or status == 4


@pytest.mark.parametrize("path", [path for path in COMMANDS if path not in GOES_ON | PRINTS_A_DOCUMENT], ids=" ".join)
def test_on_a_terminal_lines_have_80_columns_and_piped_no_command_to_a_terminal(
    busy: World, path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = of_this_world(busy, EXAMPLES[path])
    piped = called(words, busy.settings)
    assert piped[0] in (0, 1, 4)
    assert "\x1b" not in piped[1]
    monkeypatch.setattr("neon_projector.consumer.cli.output.on_terminal", lambda: True)
    shown = called(words, busy.settings | {"COLUMNS": "80", "TERM": "dumb"})
    lines = [line for line in shown[1].splitlines() if not line.startswith("Next: ")]
    assert [line for line in lines if len(line) > 80] == []
    ids = set(re.findall(r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b", piped[1]))
    assert {one for one in ids if one not in shown[1]} <= member_names(piped[1])


def member_names(shown: str) -> set[str]:
    """A member's name ends with a UUID, and may be folded: nobody copies it."""
    return set(re.findall(r"neon-projector-([0-9a-f]{8}-[0-9a-f-]{27})", shown))


def nowhere() -> dict[str, str]:
    """Settings with which no server answers."""
    return {"NEON_DATABASE_URL": f"postgresql://nobody@{NOWHERE}/none", "KAFKA_BOOTSTRAP_SERVERS": NOWHERE}


def of_this_world(world: World, words: list[str]) -> list[str]:
    """An example's words with this world's own topics and ids: the first dead letter, operation, and so on."""
    topics = world.topics
    ours = {AN_ID: str(EVE), "42": "1", "43": "1", "17": "1", "ada@example.com": "one@example.com"}
    pattern = re.compile(rf"^({'|'.join(topics)})(?=$|:)")
    return [pattern.sub(lambda found: topics[found[0]], ours.get(word, word)) for word in words]


@pytest.fixture(scope="module")
def busy(kafka: str, postgres: str) -> Iterator[World]:
    """A world in which each table has something: rows, what waits and is contested, a dead letter, an operation."""
    name = "every_command"
    asyncio.run(
        execute(postgres, f"DROP DATABASE IF EXISTS {name} (FORCE)", f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    )
    world = World(kafka, database_url(postgres, name), f"{name}-users", f"{name}-documents")
    events: list[dict[str, Any]] = [
        a_user_event(id=ADA, email="one@example.com"),
        a_user_event(id=EVE, email="one@example.com"),
        a_user_event("updated", UUID(int=9), 3, name="later"),
        a_document_event(id=UUID(int=3), owner=UUID(int=77)),
        a_user_event(email="nobody"),
    ]
    asyncio.run(play(world, False, *events))
    for words in (["pause", "--topic", world.users], ["resume", "--topic", world.users]):
        assert called(words, world.settings)[0] == 0
    yield world
    asyncio.run(execute(postgres, f"DROP DATABASE {name} (FORCE)"))
