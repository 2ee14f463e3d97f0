"""Reads the options of `offsets reset`: which partitions to move, and where to."""

import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import typer
from pydantic import TypeAdapter, ValidationError

from neon_projector.consumer.admin.reset import Scope, Target
from neon_projector.projections.contract.fields import parse_time

_PARTITIONS = re.compile(r"[0-9]{1,9}(,[0-9]{1,9})*")


def scope_of(known: Collection[str], given: list[str]) -> Scope:
    """`t` or `t:0,1`, each among the `known` topics; without any, all topics."""
    scope: dict[str, set[int] | None] = dict.fromkeys(known) if not given else {}
    for one in given:
        name, colon, numbers = one.partition(":")
        if name not in known or (colon and not _PARTITIONS.fullmatch(numbers)):
            raise typer.BadParameter(f"--topic {one}: expected one of {', '.join(known)}, or t:0,1")
        before = scope.get(name, set())
        scope[name] = {*before, *map(int, numbers.split(","))} if colon and before is not None else None
    return scope


def target_of(
    to_earliest: bool, to_latest: bool, to_offset: int | None, to_datetime: str | None, by_duration: str | None,
    shift_by: int | None,
) -> Target:  # fmt: skip
    """The one that is given."""
    given: list[Target] = []
    given += [Target("earliest")] if to_earliest else []
    given += [Target("latest")] if to_latest else []
    given += [Target("offset", to_offset)] if to_offset is not None else []
    given += [Target("time", _milliseconds(to_datetime))] if to_datetime is not None else []
    given += [Target("time", _back(by_duration))] if by_duration is not None else []
    given += [Target("shift", shift_by)] if shift_by is not None else []
    if len(given) != 1:
        raise typer.BadParameter("give one target: --to-…, --by-duration or --shift-by")
    return given[0]


def _milliseconds(text: str) -> int:
    try:
        return max(0, int(parse_time(text).timestamp() * 1000))  # Kafka takes negative ones for something else
    except ValueError as error:
        raise typer.BadParameter(f"--to-datetime: {error}") from None


def _back(duration: str) -> int:
    try:
        span = TypeAdapter(timedelta).validate_python(duration)
        then = datetime.now(UTC) - span
    except (ValidationError, OverflowError):
        raise typer.BadParameter("--by-duration: expected an ISO 8601 duration such as PT1H") from None
    if not duration.startswith("P") or span < timedelta(0):
        raise typer.BadParameter("--by-duration: expected an ISO 8601 duration such as PT1H, not a negative one")
    return max(0, int(then.timestamp() * 1000))
