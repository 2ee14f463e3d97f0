"""Counts are said in grammatical words, and long lists by their first names."""

import re
from pathlib import Path

import pytest

from neon_projector.consumer.wording import counted, first_of, verb

FOLDERS = ("consumer", "projections", "models")
A_COUNT = re.compile(
    r"\{[^{}A-Z\"]*\} (?:(?:dead|parked|rejected|superseded|edited) )?"
    r"(?:records|partitions|members|events|offsets|letters|versions|states|entities|topics|instances|values|changes)\b"
)
"""A number in braces, which may be 1, and a plural beside it; what is in capitals is a constant."""


@pytest.mark.parametrize(
    ("number", "thing", "said"),
    [
        (0, "record", "0 records"), (1, "record", "1 record"), (1200, "dead letter", "1,200 dead letters"),
        (2, "entity", "2 entities"), (1, "entity", "1 entity"), (-1, "record", "-1 records"),
    ],
)  # fmt: skip
def test_one_is_one_and_others_are_many(number: int, thing: str, said: str) -> None:
    assert counted(number, thing) == said


def test_the_verb_goes_with_the_number() -> None:
    assert [verb(number, "is", "are") for number in (0, 1, 2)] == ["are", "is", "are"]


def test_of_a_long_list_the_first_are_named_and_the_rest_is_counted() -> None:
    assert first_of("abc", 3) == "a, b, c"
    assert first_of("abcd", 3) == "a, b, c and 1 more"
    assert first_of([], 3) == ""


def test_no_text_puts_a_plural_beside_a_number_by_itself() -> None:
    root = Path(__file__).parents[2]
    found = [
        f"{path.relative_to(root)}:{number}: {line.strip()}"
        for folder in FOLDERS
        for path in sorted((root / folder).rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if A_COUNT.search(line) and 'f"' in line
    ]
    assert found == []
