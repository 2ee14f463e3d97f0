"""Compares all positions of this instance with the stored ones, in the BEGIN of a transaction that writes.

A database that is put back to an earlier moment (a branch restored on Neon, a backup) forgets what was applied, and
with it how far it was applied. Its own compare-and-set would tell that of the partitions of one batch only. The others
would stay behind until each has an event of its own, perhaps for ever.

It costs no statement while nothing is written, and no round trip when something is.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import NamedTuple

from aiokafka import TopicPartition
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.offsets import store as positions
from neon_projector.consumer.offsets.claim import Claim

log = logging.getLogger(__name__)

EACH_SECONDS = 1.0
"""So often at most is it compared, beside each time that a connection is new: behind a pooler it may not show that the
server is another one."""


class Known(NamedTuple):
    """What this instance takes to be stored of one partition."""

    next_offset: int
    epoch: int


Read = Callable[[Iterable[TopicPartition]], Awaitable[Mapping[TopicPartition, Claim]]]
"""Reads stored positions."""


class PositionCheck:
    """Knows when it is time to compare. `known` tells what is being read, and how far it is applied."""

    def __init__(self, group_id: str, known: Callable[[], Mapping[TopicPartition, Known]]) -> None:
        self._group_id, self._known = group_id, known
        self._connections = 0
        """How many connections have been made."""
        self._compared = (-1, 0.0)
        """How many there were at the last comparison, and when that was."""

    def watch(self, engine: AsyncEngine) -> None:
        """Notice each connection that is made, perhaps since one was lost: it may lead to another server."""
        event.listen(engine.sync_engine, "connect", lambda *_: self.connected())

    def connected(self) -> None:
        """A connection was made."""
        self._connections += 1

    def due(self) -> str:
        """SQL to be sent with the next BEGIN; empty where it is not time yet. It fails as `positions.move` does."""
        connections, at = self._compared
        if connections == self._connections and time.monotonic() - at < EACH_SECONDS:
            return ""
        known = self._known()
        return positions.compare(self._group_id, known) if known else ""

    def passed(self) -> None:
        """A BEGIN with this SQL has succeeded. (A connection that was made meanwhile has its own.)"""
        self._compared = self._connections, time.monotonic()

    async def find_moved(self, read: Read) -> tuple[set[TopicPartition], set[TopicPartition]]:
        """Compare with what is stored now. Returns the partitions to read again, and those of them whose stored
        position is behind what was applied."""
        known = self._known()
        stored = await read(known)
        if lost := set_back(known, stored):
            log.warning(
                "the database has forgotten what was applied: it was put back to an earlier moment, or positions were "
                "reset; reading again from the stored positions",
                extra={"partitions": sorted(f"{p.topic}:{p.partition}" for p in lost)},
            )
        return moved(known, stored), lost


def moved(known: Mapping[TopicPartition, Known], stored: Mapping[TopicPartition, Claim]) -> set[TopicPartition]:
    """Those that somebody else has moved, claimed or deleted. Further than `known` they may be by ourselves."""
    return {
        partition
        for partition, (next_offset, epoch) in known.items()
        if (found := stored.get(partition)) is None or found.epoch != epoch or found.next_offset < next_offset
    }


def set_back(known: Mapping[TopicPartition, Known], stored: Mapping[TopicPartition, Claim]) -> set[TopicPartition]:
    """Those whose stored position is behind what was applied."""
    return {p for p, at in known.items() if (found := stored.get(p)) is None or found.next_offset < at.next_offset}
