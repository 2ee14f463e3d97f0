"""Times as people read them: `3 min ago`. The exact time is in `--json`."""

from datetime import UTC, datetime

from neon_projector.consumer.offsets.intake_stops import said_time
from neon_projector.consumer.wording import span


def ago(at: datetime, now: datetime | None = None) -> str:
    """`at` from `now` (default: this moment): `3 min ago`, or `in 3 min` where it is to come."""
    seconds = ((now or datetime.now(UTC)) - at).total_seconds()
    return f"{span(seconds)} ago" if seconds > -1 else f"in {span(-seconds)}"


def exactly(at: datetime) -> str:
    """For what is handed on to somebody else: `2026-11-22T12:00:00Z (3 min ago)`."""
    return f"{said_time(at)} ({ago(at)})"
