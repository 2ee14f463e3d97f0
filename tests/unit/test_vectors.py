"""The golden vectors, as they stand in docs/contract/vectors, are what the decoder and the fold make of the records."""

import json
from pathlib import Path
from typing import Any

import pytest

from neon_projector.projections import Vector, vectors
from tests.support.vectors import FOLDER

VECTORS = vectors()


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_a_record_becomes_what_its_vector_says(vector: Vector) -> None:
    vector.check()


def test_there_are_vectors_of_each_outcome_and_their_names_differ() -> None:
    assert {one.expected.outcome for one in VECTORS} == {"applied", "superseded", "parked", "rejected", "ignored"}
    assert len({one.name for one in VECTORS}) == len(VECTORS) > 200
    assert len(VECTORS) == sum(file.read_text().count("\n") for file in FOLDER.glob("*.jsonl"))


GOOD: dict[str, Any] = {"name": "mine", "key": None, "headers": [], "value": "{}"}


def test_a_vector_of_ones_own_says_what_came_instead_and_leaves_open_what_it_does_not_name(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text("".join(json.dumps(GOOD | {"outcome": one}) + "\n\n" for one in ("applied", "rejected")))
    wrong, right = vectors(file)
    right.check()
    with pytest.raises(AssertionError, match=r"^mine: applied: invalid_envelope: .*; rejected: invalid_envelope: "):
        wrong.check()


NO_VECTORS = {
    "outcome": "aplied", "name": 7, "value": {"base64": "!!!"}, "key": {"repeat": [["x", 10**30]]}, "before": [1],
    "headers": 1,
}  # fmt: skip
VECTOR = GOOD | {"outcome": "applied"}


@pytest.mark.parametrize(
    "line",
    [
        *(b"{", b"[]", b"{}", b"\xff", b"[" * 100_000, json.dumps(GOOD).encode()),
        *(json.dumps(VECTOR | {name: value}).encode() for name, value in NO_VECTORS.items()),
    ],
    ids=[*"123456", *NO_VECTORS],
)
def test_a_line_that_is_no_vector_is_named(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "mine.jsonl").write_bytes(b"\n%b\n" % line)
    with pytest.raises(ValueError, match=r"^mine\.jsonl, line 2: not a golden vector$"):
        vectors(str(tmp_path / "mine.jsonl"))
