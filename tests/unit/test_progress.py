"""Progress never says 100 % before the end, and says what it does not know."""

import re
import sys
import time

import pytest

from neon_projector.consumer.cli import progress as module
from neon_projector.consumer.cli.progress import Bar, progress


def test_it_never_says_that_all_is_done() -> None:
    bar = Bar("reading", 40)
    bar(40)
    assert "99.9 %" in bar.said()
    bar(50)
    assert "99.9 %" in bar.said()


def test_an_unknown_total_is_said() -> None:
    bar = Bar("reading", None)
    bar(1_200)
    assert bar.said() == "1,200 (how many there are is unknown)"
    bar(1_200, 2_400)
    assert bar.said() == "1,200 of 2,400, 50.0 %"


def test_the_rate_is_that_since_it_was_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    bar = Bar("reading", 2_000, done=900)
    now[0] += 5
    bar(1_000)  # the row of the operation is a moment behind
    now[0] += 10
    bar(1_500)
    assert bar.said() == "1,500 of 2,000, 75.0 %, 50/s, 0:00:10 left"


def test_without_a_terminal_there_is_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "LINE_SECONDS", 0)
    with progress("reading", 10) as bar:
        bar(4)
    assert re.match(r"reading: 4 of 10, 40.0 %", capsys.readouterr().err)
    with progress("reading", 10, quiet=True) as bar:
        bar(4)
    assert capsys.readouterr().err == ""


def test_on_a_terminal_there_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(sys.stderr, "write", shown.append)
    with progress("reading", 10) as bar:
        bar(10)
    assert "100" not in "".join(shown)
