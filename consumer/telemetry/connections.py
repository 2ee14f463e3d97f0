"""The sidecar's connections: how many there may be, and how long each may take.

Whoever opens connections to the sidecar takes file descriptors that the service needs for the database and for Kafka.
So their number is bounded: where there are too many, the one that has been idle for longest makes room for the newest,
which may be a probe.
"""

import asyncio
import logging
import resource
import time
from collections.abc import Iterable
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

log = logging.getLogger(__name__)

MOST = 200
"""Connections at a time, where there are many descriptors."""
PART_OF_DESCRIPTORS = 4
"""No more than this part of all descriptors (`ulimit -n`)."""
REQUEST_SECONDS = 5.0
"""So long may a connection be open without a whole request, at its beginning and after each answer."""
ANSWER_SECONDS = 7.0
"""So long may an answer take: `/health/db` waits for 5 seconds."""
SWEEP_SECONDS = 1
"""How often connections that took too long are looked for."""
BACKLOG = 64
"""Connections that the system accepts for us, and the most that are taken in one go."""
SAY_SECONDS = 60.0
"""So often at most the log has a line about connections that were closed to make room."""


def most_connections() -> int:
    """How many connections the sidecar may have."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else max(1, min(MOST, soft // PART_OF_DESCRIPTORS))


class Connection(H11Protocol):
    """One connection. `most` holds for all of a process, which has one sidecar."""

    most = most_connections()
    _said_at = -SAY_SECONDS

    since = 0.0
    """When it came, or its last request, or its last answer ended; by the monotonic clock."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        self.since = time.monotonic()
        if len(self.connections) >= self.most:
            self._make_room()
        super().connection_made(transport)

    @property
    def is_busy(self) -> bool:
        """Whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def handle_events(self) -> None:
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self.since = time.monotonic()

    def on_response_complete(self) -> None:
        self.since = time.monotonic()
        super().on_response_complete()

    def too_long(self, now: float) -> bool:
        """Whether it waits for a request, or for its reader, for longer than it may."""
        return now - self.since > (ANSWER_SECONDS if self.is_busy else REQUEST_SECONDS)

    def end(self) -> None:
        """Close it now, whatever its reader has not taken yet."""
        self.connections.discard(self)
        self.transport.abort()

    def _make_room(self) -> None:
        others = [one for one in self.connections if isinstance(one, Connection)]
        min(others, key=lambda one: (one.is_busy, one.since)).end()
        if (now := time.monotonic()) - Connection._said_at >= SAY_SECONDS:
            Connection._said_at = now
            log.warning(
                "too many connections to the sidecar; those that have been idle for longest are closed",
                extra={"connections": self.most},
            )


async def sweep(connections: Iterable[Any]) -> None:
    """End those that took too long; `connections` are all there are."""
    now = time.monotonic()
    for connection in list(connections):
        if isinstance(connection, Connection) and connection.too_long(now):
            connection.end()
