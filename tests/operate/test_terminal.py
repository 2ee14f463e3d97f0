"""What changes something asks a person first, and only where there is one: at a terminal."""

import asyncio
import os
import pty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen, run

import pytest

from tests.service.test_meaning import ADA, play
from tests.support.factories import a_user_event
from tests.support.projector import PROJECTOR, command, environment
from tests.support.world import World

RESET = ("offsets", "reset", "--all-topics", "--shift-by", "-2", "--execute")
REPLAY = ("replay", "--all-topics", "--execute")


@pytest.fixture
async def moved(world: World) -> World:
    """A world with a position at 7 of 10 records."""
    await world.create_topics()
    await world.publish_users(10)
    insert = "INSERT INTO projector.offsets (group_id, topic, partition, next_offset) VALUES ($1, $2, 0, 7)"
    await world.rows(insert, world.group, world.users)
    return world


async def test_what_is_done_is_told_where_it_is_not_what_was_promised(moved: World) -> None:
    with asked_at_a_terminal(moved, *RESET) as (process, terminal):
        await asyncio.to_thread(until_asked, process)
        await moved.rows("UPDATE projector.offsets SET next_offset = 9")
        os.write(terminal, b"y\n")
        told = (await asyncio.to_thread(process.communicate))[0].decode()
        assert process.returncode == 0
    promised, done = told.split("the positions have moved since")
    assert (" 7 " in promised, " 5 " in promised) == (True, True)
    assert (" 9 " in done, " 7 " in done, " 5 " in done) == (True, True, False)
    assert await moved.value("SELECT next_offset::int FROM projector.offsets") == 7


@pytest.mark.parametrize(
    ("words", "answer", "status"),
    [(RESET, b"n\n", 4), (RESET, b"\n", 4), (RESET, b"\x04", 4), (RESET, b"\x03", 130), (REPLAY, b"\n", 4)],
)
async def test_without_a_yes_nothing_is_changed(
    moved: World, words: tuple[str, ...], answer: bytes, status: int
) -> None:
    with asked_at_a_terminal(moved, *words) as (process, terminal):
        await asyncio.to_thread(until_asked, process)
        os.write(terminal, answer)
        assert await asyncio.to_thread(process.wait, 20) == status
    assert await moved.rows("SELECT * FROM projector.operations") == []
    assert await moved.value("SELECT next_offset::int FROM projector.offsets") == 7


async def test_a_rebuild_asks_as_soon_as_it_knows_what_it_would_heal(world: World, tmp_path: Path) -> None:
    await play(world, False, a_user_event(id=ADA))
    await world.rows("UPDATE users SET name = 'forged'")
    words = ("rebuild", "--execute", "--undo", str(tmp_path / "undo"))
    for answer, status, state, name in ((b"n\n", 4, "cancelled", "forged"), (b"y\n", 0, "completed", "Ada")):
        with asked_at_a_terminal(world, *words) as (process, terminal):
            await asyncio.to_thread(until_asked, process)
            os.write(terminal, answer)
            assert await asyncio.to_thread(process.wait, 20) == status
        assert await world.value("SELECT state FROM projector.operations ORDER BY id DESC LIMIT 1") == state
        assert await world.value("SELECT name FROM users") == name


async def test_yes_skips_the_question(moved: World) -> None:
    with asked_at_a_terminal(moved, *RESET, "--yes") as (process, _):
        said = await asyncio.to_thread(process.communicate)
        assert (process.returncode, b"?" in said[1]) == (0, False)
    assert await moved.value("SELECT next_offset::int FROM projector.offsets") == 5


async def test_an_output_that_takes_nothing_or_not_every_character_is_no_bug(world: World) -> None:
    await world.rows("INSERT INTO projector.operations (command, actor, finished_at) VALUES ('pause', 'jürg', now())")

    def shell(script: str, **more: str) -> tuple[int, bytes, bytes]:
        words = ["sh", "-c", script, str(PROJECTOR), "operations", "list"]
        done = run(words, env=environment(world.settings | more), capture_output=True, check=False)
        return done.returncode, done.stdout, done.stderr

    assert shell('exec "$0" "$@" >&-') == (0, b"", b"")
    assert shell('exec "$0" "$@" --json >&- 2>&-') == (0, b"", b"")
    for also in ("", "--json"):
        status, _, said = shell(f'ulimit -f 0; exec "$0" "$@" {also} >"$(mktemp)"')
        assert (status, said.count(b"\n"), b"takes no more: File too large" in said) == (2, 1, True), said
    status, out, said = shell('exec "$0" "$@"', PYTHONIOENCODING="ascii")
    assert (status, b"j\\xfcrg" in out, said) == (0, True, b"")
    assert "jürg".encode() in shell('exec "$0" "$@"')[1]


@pytest.mark.parametrize(
    "words",
    [
        ("replay", "--all-topics", "--key"),
        ("dead-letters", "list", "--source"),
        ("explain", "--title"),
        ("pause", "-x"),
    ],
)
def test_an_argument_that_is_no_text_is_wrong_usage(words: tuple[str, ...]) -> None:
    done = command(*words, os.fsdecode(b"a\xff"), settings={})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "projector: this argument is not UTF-8: b'a\\xff'\n"


@contextmanager
def asked_at_a_terminal(world: World, *words: str) -> Iterator[tuple[Popen[bytes], int]]:
    """A command whose input is a terminal of its own, and the end at which a person types."""
    person, terminal = pty.openpty()
    with Popen(
        [PROJECTOR, *words],
        env=environment(world.settings),
        stdin=terminal,
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,
        preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),  # noqa: PLW1509  so that Ctrl-C reaches it; no thread is there yet
    ) as process:
        os.close(terminal)
        try:
            yield process, person
        finally:
            process.kill()
            os.close(person)


def until_asked(process: Popen[bytes]) -> None:
    """Read what it says until it asks."""
    assert process.stderr is not None
    said = b""
    while b"]:" not in said:
        said += (one := os.read(process.stderr.fileno(), 1000))
        assert one, f"it did not ask: {said.decode()}"
