"""What `offsets reset` and `replay` understand, and what they refuse to."""

import time
from typing import Any

import pytest
import typer

from neon_projector.consumer.admin.replay.plan import Point
from neon_projector.consumer.admin.reset import Scope, Target
from neon_projector.consumer.cli.scope import point_of, scope_of, span_of, target_of

KNOWN = ["documents", "users"]
NOT_GIVEN: dict[str, Any] = {
    "to_earliest": False, "to_latest": False, "to_offset": None, "to_datetime": None, "by_duration": None,
    "shift_by": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "scope"),
    [
        ([], {"documents": None, "users": None}),
        (["users"], {"users": None}),
        (["users:0,12"], {"users": {0, 12}}),
        (["users:0", "users:1"], {"users": {0, 1}}),
        (["users:0", "users"], {"users": None}),
        (["users", "users:0", "documents:3"], {"users": None, "documents": {3}}),
    ],
)
def test_topics_and_partitions(given: list[str], scope: Scope) -> None:
    assert scope_of(KNOWN, given) == scope


@pytest.mark.parametrize("wrong", ["other", "users:", "users:0,", "users:,0", "users:x", "users:-1", "users:0;1", ":0"])
def test_a_scope_that_says_nothing_clear_is_usage(wrong: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"--topic .*expected one of documents, users"):
        scope_of(KNOWN, [wrong])


@pytest.mark.parametrize("wrong", ["-PT1H", "P-1D", "3600", "1:00:00", "an hour", "P99999999999D", ""])
def test_a_duration_is_iso_8601_and_goes_back(wrong: str) -> None:
    with pytest.raises(typer.BadParameter, match="--by-duration"):
        target_of(**NOT_GIVEN | {"by_duration": wrong})


def test_times_are_milliseconds_and_none_is_before_1970() -> None:
    assert target_of(**NOT_GIVEN | {"to_datetime": "1970-01-01T00:00:01Z"}) == Target("time", 1000)
    assert target_of(**NOT_GIVEN | {"to_datetime": "1969-12-31T23:59:59.999Z"}) == Target("time", 0)
    assert target_of(**NOT_GIVEN | {"by_duration": "P1000Y"}) == Target("time", 0)
    hour_ago = target_of(**NOT_GIVEN | {"by_duration": "PT1H"})
    assert abs(time.time() - 3600 - hour_ago.value / 1000) < 60


def test_one_target_is_needed() -> None:
    for wrong in ({}, {"to_earliest": True, "to_latest": True}, {"to_offset": 0, "shift_by": 0}):
        with pytest.raises(typer.BadParameter, match="one target"):
            target_of(**NOT_GIVEN | wrong)


def test_a_point_is_an_offset_a_time_or_a_duration_back_from_now() -> None:
    assert point_of("--from", None) is None
    assert point_of("--from", "0") == Point("offset", 0)
    assert point_of("--from", "1970-01-01T00:00:02Z") == Point("time", 2_000)
    assert point_of("--from", "1960-01-01T00:00:00+01:00") == Point("time", 0)
    hour = point_of("--to", "PT1H")
    assert hour is not None
    assert abs(time.time() - 3_600 - hour.value / 1_000) < 5


@pytest.mark.parametrize(
    "text", ["", "-1", "1.5", "yesterday", "2026-11-22", "2026-11-22T12:00:00", "P", "-PT1H", "1h"]
)
def test_what_is_no_point_is_refused_by_its_option(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"^--to"):
        point_of("--to", text)


@pytest.mark.parametrize(("start", "end"), [("10", "3"), ("3", "3"), ("PT1H", "P1D"), ("PT1H", "2020-01-01T00:00:00Z")])
def test_a_range_that_ends_before_it_begins_is_refused(start: str, end: str) -> None:
    with pytest.raises(typer.BadParameter, match=f"^--from {start} is not before --to {end}$"):
        span_of(start, end)


def test_an_end_may_be_open_and_an_offset_is_before_no_time() -> None:
    assert span_of(None, None) == (None, None)
    assert span_of("3", None) == (Point("offset", 3), None)
    assert span_of("3", "10") == (Point("offset", 3), Point("offset", 10))
    assert span_of("7", "1970-01-01T00:00:00Z") == (Point("offset", 7), Point("time", 0))
