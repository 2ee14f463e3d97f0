"""What is known of the running demo at one moment: from `/status`, the tables and the publisher."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from neon_projector.consumer.demo.servers.broker import EmbeddedBroker
from neon_projector.consumer.demo.servers.projector import RunningProjector
from neon_projector.consumer.demo.stream.truth import Truth
from neon_projector.models import CONTROL_SCHEMA
from neon_projector.models.control.waiting import DEAD_LETTERS

RATE_SECONDS = 2.0
"""The rate is a mean over so long."""

_ROWS = f"""
    SELECT (SELECT count(*) FROM public.users) AS users, (SELECT count(*) FROM public.documents) AS documents,
        (SELECT coalesce(sum(next_offset), 0) FROM {CONTROL_SCHEMA}.offsets)::bigint AS consumed,
        (SELECT count(*) FROM {DEAD_LETTERS}) AS dead_letters,
        (SELECT count(*) FROM {CONTROL_SCHEMA}.absent_states WHERE reason <> 'deleted')
            + (SELECT count(*) FROM {CONTROL_SCHEMA}.parked_events) AS waiting"""


@dataclass(frozen=True)
class Moment:
    """Numbers of records, but `seconds` since the start, `rate` in records a second, and rows."""

    seconds: float
    published: int
    consumed: int
    rate: float
    users: int
    documents: int
    dead_letters: int
    waiting: int
    """States kept aside and parked events."""
    joined: bool
    """Whether the service has joined its consumer group."""
    events: dict[str, int] = field(default_factory=dict)
    """By outcome."""

    @property
    def lag(self) -> int:
        """Records that the broker has taken and the database has not."""
        return max(0, self.published - self.consumed)

    @property
    def settled(self) -> bool:
        """Whether all that is published is consumed, and the service has told so."""
        return self.consumed >= self.published and sum(self.events.values()) >= self.published


class Watch:
    """Looks at everything, on a connection of its own."""

    def __init__(self, connection: Any, broker: EmbeddedBroker, projector: RunningProjector, truth: Truth) -> None:
        self._connection, self._broker, self._projector, self._truth = connection, broker, projector, truth
        self._start = time.monotonic()
        self._consumed: deque[tuple[float, int]] = deque()

    @classmethod
    async def open(
        cls, database_url: str, broker: EmbeddedBroker, projector: RunningProjector, truth: Truth
    ) -> "Watch":
        return cls(await asyncpg.connect(database_url), broker, projector, truth)

    async def close(self) -> None:
        await self._connection.close()

    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._start

    async def look(self) -> Moment:
        """The present moment. DemoFailed where service or broker has ended."""
        self._broker.check()
        status = await asyncio.to_thread(self._projector.status)
        row = await self._connection.fetchrow(_ROWS)
        now = time.monotonic()
        return Moment(
            self.seconds(),
            self._truth.published,
            row["consumed"],
            self._rate(now, row["consumed"]),
            row["users"],
            row["documents"],
            row["dead_letters"],
            row["waiting"],
            status.get("joined", False),
            status.get("events", {}),
        )

    def _rate(self, now: float, consumed: int) -> float:
        self._consumed.append((now, consumed))
        while len(self._consumed) > 2 and now - self._consumed[1][0] >= RATE_SECONDS:
            self._consumed.popleft()
        then, before = self._consumed[0]
        return (consumed - before) / (now - then) if now > then else 0.0
