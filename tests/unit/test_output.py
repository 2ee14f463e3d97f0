"""Tables fit the terminal, and never cut what a person copies from them."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import UUID

import pytest
from rich.console import Console

from neon_projector.consumer.cli.output import print_table
from tests.support.documents import ROOT

ROW = {
    "id": UUID(int=7),
    "topic": "a-topic-whose-name-is-rather-long",
    "error": "data.created_at: a leap second (:60) is not accepted; data.email: value_error",
    "waiting_for": UUID(int=8),
    "reason": None,
}


@pytest.mark.parametrize("width", [60, 80, 110, 140, 200])
def test_in_any_width_nothing_is_cut_and_words_and_ids_are_whole(width: int) -> None:
    shown = at_width(width)
    assert max(map(len, shown.splitlines())) <= width
    assert letters(shown) - letters(at_width(1000)) == Counter()
    for word in (ROW["id"], ROW["waiting_for"], ROW["topic"], "data.created_at:", "value_error"):
        assert str(word) in shown


def test_a_word_that_is_longer_than_the_terminal_is_folded() -> None:
    shown = at_width(30)
    assert max(map(len, shown.splitlines())) <= 30
    assert letters(shown)["7"] == 1


def test_without_room_each_row_is_a_block_of_what_it_has() -> None:
    lines = at_width(80).splitlines()
    assert [line.split()[0] for line in lines if line.strip()][:2] == ["id", "topic"]
    assert not any(line.startswith("reason") for line in lines)


def test_a_column_that_is_empty_is_left_out_and_a_time_is_not_folded() -> None:
    file = StringIO()
    row = {"text": "some words " * 9, "since": datetime.now(UTC) - timedelta(minutes=3), "reason": None}
    print_table([row], on=Console(file=file, width=40))
    assert "3 min ago" in file.getvalue()
    assert "reason" not in file.getvalue()


def test_every_command_makes_its_tables_in_the_one_place_that_cuts_nothing() -> None:
    made = [path.name for path in (ROOT / "consumer/cli").rglob("*.py") if "rich.table" in path.read_text()]
    assert made == ["output.py"], "use print_table: a table of rich's own cuts ids"


def at_width(width: int) -> str:
    file = StringIO()
    print_table([ROW], on=Console(file=file, width=width))
    return file.getvalue()


def letters(shown: str) -> Counter[str]:
    """What is shown, without the lines between and the headings that a block leaves out."""
    return Counter(letter for letter in shown if letter.isalnum())


def test_where_nobody_looks_every_row_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([ROW, ROW])
    lines = [line for line in capsys.readouterr().out.splitlines() if str(UUID(int=7)) in line]
    assert len(lines) == 2
    assert all(str(value) in line for line in lines for value in ROW.values() if value is not None)


def test_no_rows_are_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([])
    assert capsys.readouterr().out == "nothing\n"
