"""Moments as they are typed: `2026-11-22T12:00:00Z`, or `PT2H` for two hours ago."""

from datetime import UTC, datetime, timedelta

import typer
from pydantic import TypeAdapter, ValidationError

from neon_projector.projections.contract.fields import parse_time

_DURATION = TypeAdapter(timedelta)


def moment(option: str, text: str) -> datetime:
    """An RFC 3339 time with a zone, or an ISO 8601 duration before now; BadParameter names the `option`."""
    if text.startswith("P"):
        return before_now(option, text)
    try:
        return parse_time(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option}: {error}") from None


def before_now(option: str, duration: str) -> datetime:
    """So long ago, by an ISO 8601 duration."""
    try:
        span = _DURATION.validate_python(duration)
        then = datetime.now(UTC) - span
    except (ValidationError, OverflowError):
        raise typer.BadParameter(f"{option}: expected an ISO 8601 duration such as PT1H") from None
    if not duration.startswith("P") or span < timedelta(0):
        raise typer.BadParameter(f"{option}: expected an ISO 8601 duration such as PT1H, not a negative one")
    return then
