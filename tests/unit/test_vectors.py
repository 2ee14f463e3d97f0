"""The golden vectors, as they stand in docs/contract/vectors, are what the decoder and the fold make of the records."""

import json

import pytest

from tests.support.vectors import FOLDER, becomes, read

VECTORS = [json.loads(line) for file in sorted(FOLDER.glob("*.jsonl")) for line in file.read_text().splitlines()]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_record_becomes_what_its_vector_says(vector: dict[str, object]) -> None:
    before = vector.get("before", [])
    assert isinstance(before, list)
    became = becomes(read(vector), [read(one) for one in before])
    assert (became.outcome, became.reason, became.error) == tuple(map(vector.get, ("outcome", "reason", "error")))


def test_there_are_vectors_of_each_outcome_and_their_names_differ() -> None:
    assert {vector["outcome"] for vector in VECTORS} == {"applied", "superseded", "parked", "rejected", "ignored"}
    assert len({vector["name"] for vector in VECTORS}) == len(VECTORS) > 200
