"""The right to move positions, and what it is about: one partition's claim, the offsets that a batch covers."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from aiokafka import TopicPartition

Positions = Mapping[TopicPartition, int]
"""The next offset of each partition."""
Ids = Mapping[str, str | None]
"""By topic its id, as far as the broker tells."""


class Claim(NamedTuple):
    """What is stored of one partition's position: by its next offset and epoch it can be moved, once.

    It is valid until somebody moves the position or raises the epoch (a claim, a stop of intake, a reset). Reading it
    again gives a valid one, with the new epoch.
    """

    next_offset: int
    epoch: int
    fingerprint: str | None = None
    """Of the last record before, as `consumer.offsets.fingerprint` makes it."""
    stop: str | None = None
    """Why intake of its topic is stopped: `paused`, `fuse` or both, with a comma."""
    topic_id: str | None = None
    """Of the topic that the position is in; None where it is unknown."""


class OffsetRange(NamedTuple):
    """The offsets of one partition that a batch covers: from `start` up to, not including, `next_offset`."""

    start: int
    next_offset: int
    epoch: int


class ClaimStore(Protocol):
    """Where positions are claimed and read (`consumer.apply.claims` does both)."""

    async def claim(self, first: Positions, topic_ids: Ids) -> dict[TopicPartition, Claim]:
        """Claim partitions, given the first offset that Kafka has of each, and the topics' ids."""

    async def read(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Claim]:
        """Read the claims of partitions again."""
