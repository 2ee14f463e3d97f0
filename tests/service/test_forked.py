"""A process that tests fork (tests/support/forked.py) behaves as one that is started afresh."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import process_facts
from tests.support.forked import Forked
from tests.support.projector import command, environment, eventually, running_projector
from tests.support.world import World

FACTS = [process_facts.__file__, "a word", os.fsdecode(b"\xff")]


def forked() -> bytes:
    return ended(Forked(f"{process_facts.__name__}:tell", FACTS, environment({})))


def afresh() -> bytes:
    command = [sys.executable, *FACTS]
    return ended(subprocess.Popen(command, env=environment({}), stdout=subprocess.PIPE, stderr=subprocess.PIPE))


def ended(process: "Forked | subprocess.Popen[bytes]") -> bytes:
    out, err = process.communicate(timeout=30)
    assert (process.wait(), process.poll(), process.returncode, err) == (7, 7, 7, b"")
    return out


def test_it_finds_what_another_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what a test has just changed of its own environment."""
    forked()  # the process to fork from is there, and has the environment of now
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.delenv("HOME")
    one, other = json.loads(forked()), json.loads(afresh())
    assert one["facts"] == other["facts"]
    assert (one["facts"]["directory"], one["facts"]["temporary"], one["facts"]["zone"][0]) == (
        str(tmp_path),
        str(tmp_path),
        "JST",
    )


def test_no_two_share_their_chance() -> None:
    one, other = json.loads(forked())["chance"], json.loads(forked())["chance"]
    assert not set(one) & set(other)


@pytest.mark.parametrize(
    ("words", "status"),
    [(("--version",), 0), (("offsets", "reset", "--nonsense"), 2), (("run",), 2), (("check", "none.jsonl"), 2)],
)
def test_a_command_ends_alike(words: tuple[str, ...], status: int) -> None:
    one, other = (command(*words, settings={"LOG_LEVEL": "loud"}, afresh=afresh) for afresh in (False, True))
    assert vars(one) == vars(other)
    assert one.returncode == status


@pytest.mark.parametrize("afresh", [False, True])
async def test_a_service_takes_signals_alike(world: World, afresh: bool) -> None:
    settings = world.settings | {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    for number, status in ((signal.SIGTERM, 0), (signal.SIGINT, 130), (signal.SIGKILL, -9)):
        with running_projector(settings, afresh=afresh) as projector:
            eventually("it serves", lambda projector=projector: projector.get("/health/live")[0] == 200)
            with pytest.raises(subprocess.TimeoutExpired):
                projector.process.wait(0.01)
            assert (projector.process.poll(), projector.process.returncode) == (None, None)
            waiting = asyncio.create_task(asyncio.to_thread(projector.process.wait))
            projector.process.send_signal(number)
            assert (projector.process.wait(20), await waiting, projector.process.returncode) == (status,) * 3
            projector.process.kill()  # does nothing: its number may be another's
