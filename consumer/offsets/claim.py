"""The right to move positions, and what it is about: one partition's claim, the offsets that a batch covers."""

from collections.abc import Mapping
from typing import NamedTuple

from aiokafka import TopicPartition

Positions = Mapping[TopicPartition, int]
"""The next offset of each partition."""


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
