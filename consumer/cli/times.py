"""Times as people read them: `3 min ago`. The exact time is in `--json`."""

from datetime import UTC, datetime

from neon_projector.consumer.offsets.intake_stops import said_time

STEPS = ((100, 1, "s"), (100 * 60, 60, "min"), (48 * 3600, 3600, "h"))
"""Below so many seconds, the unit's seconds, and its name. What is longer is said in days."""
DAY = 24 * 3600


def ago(at: datetime, now: datetime | None = None) -> str:
    """`at` from `now` (default: this moment): `3 min ago`, or `in 3 min` where it is to come."""
    seconds = ((now or datetime.now(UTC)) - at).total_seconds()
    return f"{span(seconds)} ago" if seconds > -1 else f"in {span(-seconds)}"


def exactly(at: datetime) -> str:
    """For what is handed on to somebody else: `2026-11-22T12:00:00Z (3 min ago)`."""
    return f"{said_time(at)} ({ago(at)})"


def span(seconds: float) -> str:
    """A duration in its largest unit, rounded down: `12 s`, `3 min`, `26 h`, `5 days`."""
    whole = max(0, int(seconds))
    for below, unit, name in STEPS:
        if whole < below:
            return f"{whole // unit} {name}"
    return f"{whole // DAY} days"
