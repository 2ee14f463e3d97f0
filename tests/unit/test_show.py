"""Tables never cut what a person copies from them."""

from collections import Counter
from io import StringIO
from uuid import UUID

import pytest
from rich.console import Console

from neon_projector.consumer.cli.output import print_table

ROW = {
    "id": UUID(int=7),
    "topic": "a-topic-whose-name-is-rather-long",
    "error": "data.created_at: a leap second (:60) is not accepted; data.email: value_error",
    "waiting_for": UUID(int=8),
    "reason": None,
}


def test_on_a_narrow_terminal_text_is_folded_and_ids_are_whole() -> None:
    shown = at_width(110)
    assert all(str(ROW[name]) in shown for name in ("id", "waiting_for"))
    assert letters(shown) == letters(at_width(1000))


def test_on_a_terminal_too_narrow_for_ids_they_are_folded_and_not_cut() -> None:
    for width in (60, 80):
        assert letters(at_width(width)) == letters(at_width(1000))


def at_width(width: int) -> str:
    file = StringIO()
    print_table([ROW], on=Console(file=file, width=width))
    return file.getvalue()


def letters(shown: str) -> Counter[str]:
    """What is shown, without the lines between."""
    return Counter(letter for letter in shown if letter.isalnum())


def test_where_nobody_looks_every_row_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([ROW, ROW])
    lines = [line for line in capsys.readouterr().out.splitlines() if str(UUID(int=7)) in line]
    assert len(lines) == 2
    assert all(str(value) in line for line in lines for value in ROW.values() if value is not None)


def test_no_rows_are_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([])
    assert capsys.readouterr().out == "nothing\n"
