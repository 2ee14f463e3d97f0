"""Which topics were left for others of their name, by what resets have written down."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest

from neon_projector.consumer.admin.left_topics import left_topics

AT = datetime(2026, 11, 22, tzinfo=UTC)
NAME = "users:0"


class Row(NamedTuple):
    id: int
    is_own: bool
    before: Any
    after: Any
    finished_at: datetime = AT


def reset(before: int, topic_id: str | None, *, own: bool = True, **said: list[str]) -> tuple[bool, Any, Any]:
    return own, {NAME: before}, {NAME: 0} | ({"topic_ids": {"users": topic_id}} if topic_id else {}) | said


AGAIN: dict[str, Any] = {"recreated": [NAME]}
SAME: dict[str, Any] = {"same": [NAME]}


@pytest.mark.parametrize(
    ("resets", "operation"),
    [
        ([reset(5, "old")], 1),
        ([reset(5, "new")], None),
        ([reset(5, None)], None),
        ([reset(0, "old")], None),
        ([reset(5, "old"), reset(0, "new")], 1),
        ([reset(5, "old"), reset(5, "new")], 1),
        ([reset(5, "old"), reset(5, "older"), reset(5, "new")], 2),
        ([reset(5, "old"), reset(5, "new", **SAME)], None),
        ([reset(5, "old", **SAME), reset(5, "new")], 1),
        ([reset(5, "old"), reset(5, "new", **SAME), reset(5, "new")], None),
        ([reset(5, "old"), reset(5, "new", **AGAIN), reset(5, "new")], 2),
        ([reset(5, "old", own=False)], None),
        ([reset(5, "new", **AGAIN), reset(5, "new")], 1),
        ([reset(5, None, **AGAIN)], 1),
        ([reset(5, "new", **AGAIN, own=False)], 1),
        ([reset(5, "another", **AGAIN, own=False)], None),
        ([reset(5, None, **AGAIN, own=False)], None),
    ],
)
def test_a_topic_was_left_where_rows_may_be_of_the_one_before(
    resets: list[tuple[bool, Any, Any]], operation: int | None
) -> None:
    found = left_topics([Row(n, *one) for n, one in enumerate(resets, 1)], {"users": "new"})
    assert [(name, left.operation) for name, left in found.items()] == ([(NAME, operation)] if operation else [])


def test_where_the_broker_has_no_ids_only_what_a_reset_says_counts() -> None:
    rows = [Row(1, *reset(5, "old")), Row(2, *reset(5, None, **AGAIN, own=False))]
    assert left_topics(rows, {"users": None}) == {}
