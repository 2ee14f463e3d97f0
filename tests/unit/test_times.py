"""Times for people are spans from now, in one unit."""

from datetime import UTC, datetime, timedelta

import pytest

from neon_projector.consumer.cli.output import json_of, said
from neon_projector.consumer.cli.times import ago
from neon_projector.consumer.wording import span

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"), (0.9, "0 s"), (99, "99 s"), (100, "1 min"), (180, "3 min"), (99 * 60 + 59, "99 min"),
        (100 * 60, "1 h"), (47 * 3600, "47 h"), (48 * 3600, "2 days"), (400 * 86400, "400 days"),
    ],
)  # fmt: skip
def test_a_span_has_one_unit(seconds: float, said: str) -> None:
    assert span(seconds) == said
    assert ago(NOW - timedelta(seconds=seconds), NOW) == f"{said} ago"


def test_what_is_to_come_is_said_so_and_clocks_may_differ_a_little() -> None:
    assert ago(NOW + timedelta(minutes=7, seconds=1), NOW) == "in 7 min"
    assert ago(NOW + timedelta(milliseconds=900), NOW) == "0 s ago"


def test_any_time_zone_is_the_same_moment() -> None:
    assert ago((NOW - timedelta(minutes=3)).astimezone(), NOW) == "3 min ago"


def test_people_read_a_span_and_programs_the_exact_time() -> None:
    at = datetime.now(UTC) - timedelta(minutes=3)
    assert said(at) == "3 min ago"
    assert at.isoformat() in json_of({"at": at})
