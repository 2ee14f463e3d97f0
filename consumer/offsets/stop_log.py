"""Logs what stops the intake of a topic, and what lets it go on: each stop once, as this instance reads about it."""

import logging
from collections.abc import Iterable, Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.errors import FuseBlown
from neon_projector.consumer.offsets import intake_stops
from neon_projector.consumer.offsets.intake_stops import ACCEPTED, FUSE, Stop, lifted_by, said_time, said_topic

log = logging.getLogger(__name__)


class StopLog:
    """Remembers which stops one instance has seen."""

    def __init__(self, group_id: str) -> None:
        self._group_id = group_id
        self._seen: dict[str, Stop] = {}
        """The stops that were there at the last look, by key."""
        self._blown: set[str] = set()
        """Topics whose fuse this instance has blown, and logged, since the last look."""

    def blew(self, blown: FuseBlown, *, first: bool) -> None:
        """This instance's fuse has blown. Only the first of several instances logs it."""
        self._blown.add(blown.topic)
        if first:
            log.error(
                "the fuse has blown: nearly all records of a topic are rejected; its intake is stopped until: "
                f"{lifted_by(blown.topic)}",
                extra={"topic": blown.topic, "rejected": blown.rejected, "records": blown.records}
                | {"reason": blown.reason, "source": blown.source},
            )

    def is_blown(self, topics: Iterable[str]) -> bool:
        """Whether this instance has just stopped one of these itself."""
        return not self._blown.isdisjoint(topics)

    async def notice(self, connection: AsyncConnection, stops: Iterable[Stop]) -> None:
        """Log what is new in `stops`, which are all: who has stopped what and why, who has lifted it, what is
        accepted. `connection` is asked who lifted a stop."""
        now = {stop.key: stop for stop in stops}
        seen, self._seen = self._seen, now
        changed = [stop for key, stop in now.items() if _identity(stop) != _identity(seen.get(key))]
        gone = [stop for key, stop in seen.items() if key not in now and stop.reason != ACCEPTED]
        exempt = [(stop, t) for stop in now.values() for t in set(stop.except_topics) - _exempt(seen.get(stop.key))]
        self._blown &= {stop.topic for stop in now.values() if stop.reason == FUSE}
        by: Mapping[str, object] = {}
        if gone or exempt:
            by = await intake_stops.last_resume(connection, self._group_id)
        for stop in changed:
            self._log(stop)
        for stop in gone:
            log.info("intake goes on", extra={"topic": said_topic(stop.topic), "was": stop.reason, **by})
        for stop, topic in exempt:
            log.info("intake goes on, of this topic only", extra={"topic": topic, "was": stop.reason, **by})

    def _log(self, stop: Stop) -> None:
        details = {"topic": said_topic(stop.topic), "by": stop.actor}
        details |= {"why": stop.message, "since": said_time(stop.since)}
        if stop.reason == ACCEPTED:
            assert stop.until is not None
            log.info("rejections are accepted for a time", extra={**details, "until": said_time(stop.until)})
        elif not (stop.reason == FUSE and stop.topic in self._blown):  # otherwise it was logged when it blew
            log.warning(f"intake is stopped until: {lifted_by(stop.topic)}", extra={**details, "reason": stop.reason})


def _identity(stop: Stop | None) -> tuple[object, ...]:
    return () if stop is None else (stop.key, stop.reason, stop.actor, stop.since, stop.message)


def _exempt(stop: Stop | None) -> frozenset[str]:
    return frozenset() if stop is None else frozenset(stop.except_topics)
