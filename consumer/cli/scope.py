"""Reads the options of `offsets reset`: which partitions to move, and where to."""

import re
from collections.abc import Collection
from datetime import datetime

import typer

from neon_projector.consumer.admin.replay.plan import Point
from neon_projector.consumer.admin.reset import Scope, Target
from neon_projector.consumer.cli.moment import before_now, moment
from neon_projector.projections.contract.fields import parse_time

_OFFSET = re.compile(r"[0-9]{1,18}")
_PARTITIONS = re.compile(r"[0-9]{1,9}(,[0-9]{1,9})*")


def scope_of(known: Collection[str], given: list[str], option: str = "--topic") -> Scope:
    """`t` or `t:0,1`, each among the `known` topics; without any, all topics."""
    scope: dict[str, set[int] | None] = dict.fromkeys(known) if not given else {}
    for one in given:
        name, colon, numbers = one.partition(":")
        if name not in known or (colon and not _PARTITIONS.fullmatch(numbers)):
            raise typer.BadParameter(f"{option} {one}: expected one of {', '.join(known)}, or t:0,1")
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
    given += [Target("time", _milliseconds(_time(to_datetime)))] if to_datetime is not None else []
    given += (
        [Target("time", _milliseconds(before_now("--by-duration", by_duration)))] if by_duration is not None else []
    )
    given += [Target("shift", shift_by)] if shift_by is not None else []
    if len(given) != 1:
        raise typer.BadParameter("give one target: --to-…, --by-duration or --shift-by")
    return given[0]


def point_of(option: str, text: str | None) -> Point | None:
    """An offset, a time (RFC 3339), or a duration back from now (ISO 8601)."""
    if text is None:
        return None
    if _OFFSET.fullmatch(text):
        return Point("offset", int(text))
    try:
        return Point("time", _milliseconds(moment(option, text)))
    except typer.BadParameter:
        said = "an offset, a time such as 2026-11-22T12:00:00Z, or a duration back from now such as PT1H"
        raise typer.BadParameter(f"{option} {text}: expected {said}") from None


def span_of(start: str | None, end: str | None) -> tuple[Point | None, Point | None]:
    """The points of `--from` and `--to`; BadParameter where it is plain that nothing lies between them."""
    begin, stop = point_of("--from", start), point_of("--to", end)
    if begin and stop and begin.kind == stop.kind and begin.value >= stop.value:
        raise typer.BadParameter(f"--from {start} is not before --to {end}")
    return begin, stop


def _milliseconds(then: datetime) -> int:
    """Kafka's measure; it takes negative ones for something else."""
    return max(0, int(then.timestamp() * 1000))


def _time(text: str) -> datetime:
    try:
        return parse_time(text)
    except ValueError as error:
        raise typer.BadParameter(f"--to-datetime: {error}") from None
