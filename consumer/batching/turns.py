"""Clocks of publishers may be wrong: no partition is held back for long because of that, and it is said.

What is read is handed over in the order of the records' timestamps. A publisher whose clock is fast would have its
partition wait for all others; one whose clock is slow, or whose records are old, would have all others wait for it.
"""

import logging
from collections.abc import Mapping

from aiokafka import TopicPartition

log = logging.getLogger(__name__)

HELD_BACK_SECONDS = 15.0
"""So long at most does a partition wait for others. Then it goes on beside them, as if its clock were fast by
what it is ahead of them. Not shorter: in a backlog of minutes, documents are to wait for their users."""
LOOK_SECONDS = 1.0
"""How often waiting partitions are looked at."""
FAST_MS = 2_000
"""Clocks that are fast by less are not worth a line in the log."""
SAY_SECONDS = 60.0
"""So often at most there is a line for each partition."""


class Turns:
    """By the clock that is given, which partitions have waited for long enough."""

    def __init__(self) -> None:
        self._looked_at = -LOOK_SECONDS
        self._waits: dict[TopicPartition, tuple[int, float]] = {}
        """The offset of the first record that may not be handed over yet, and since when it has been that one."""
        self._said: dict[tuple[str, TopicPartition], float] = {}

    def is_time(self, now: float) -> bool:
        """Whether to look again."""
        if now - self._looked_at < LOOK_SECONDS:
            return False
        self._looked_at = now
        return True

    def overdue(self, waiting: Mapping[TopicPartition, int], now: float) -> list[TopicPartition]:
        """Of those that wait, each with the offset of its first record, the ones whose turn it is now."""
        before = self._waits
        self._waits = {
            p: before[p] if p in before and before[p][0] == offset else (offset, now) for p, offset in waiting.items()
        }
        late = [p for p, (_, since) in self._waits.items() if now - since >= HELD_BACK_SECONDS]
        for partition in late:
            del self._waits[partition]
            if self._may_say("held back", partition, now):
                log.info(
                    "this partition has waited for others whose records are earlier by their timestamps; it goes on "
                    "beside them now",
                    extra={"topic": partition.topic, "partition": partition.partition, "seconds": HELD_BACK_SECONDS},
                )
        return late

    def fast(self, partition: TopicPartition, ahead_ms: int, now: float) -> None:
        """A record was read whose timestamp is so far in the future."""
        if ahead_ms >= FAST_MS and self._may_say("fast", partition, now):
            log.warning(
                "records of this partition have timestamps in the future: a publisher's clock is fast, or "
                "this machine's is slow. The time of reading is used instead",
                extra={"topic": partition.topic, "partition": partition.partition, "seconds": ahead_ms / 1000},
            )

    def _may_say(self, what: str, partition: TopicPartition, now: float) -> bool:
        if now - self._said.get((what, partition), -SAY_SECONDS) < SAY_SECONDS:
            return False
        self._said[what, partition] = now
        return True
