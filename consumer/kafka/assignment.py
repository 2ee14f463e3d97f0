"""Which partitions are ours, and how each stands: to be claimed, to be read again, being read, or stopped."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from aiokafka import TopicPartition

from neon_projector.consumer.kafka.metadata import is_another
from neon_projector.consumer.offsets.claim import Claim, OffsetRange
from neon_projector.consumer.offsets.fingerprint import fingerprint, offset_of
from neon_projector.projections.contract.record import Record


@dataclass(slots=True)
class Reading:
    """A partition that is being read: under which epoch, and what comes next."""

    epoch: int
    next_offset: int
    fingerprint: str | None
    """Of the last record before `next_offset`, until it is seen that the topic still has it."""
    topic_id: str | None = None
    """Of the topic that the position is in; None where it is unknown."""
    end: int = 0
    """Where it ends, as far as is known: when reading began, then by each fetch."""
    last: str | None = None
    """The fingerprint of the last record that was read; None where none was, or Kafka has forgotten it."""

    def recognise(self, records: Sequence[Record]) -> Sequence[Record] | None:
        """Those from the position on; None where the one before it is not the one that was read."""
        if self.fingerprint is not None and records:
            if records[0].offset == offset_of(self.fingerprint) and fingerprint(records[0]) != self.fingerprint:
                return None
            self.fingerprint = None
            records = [record for record in records if record.offset >= self.next_offset]
        if records:
            self.last = fingerprint(records[-1])
        return records

    def compare_again(self) -> int:
        """See the last record once more, to compare it; returns the offset to read from."""
        self.fingerprint = self.fingerprint or self.last
        return self.next_offset if self.fingerprint is None else offset_of(self.fingerprint)


class Stopped(NamedTuple):
    """Why a partition is not read, and the epoch it was claimed under."""

    reason: str
    epoch: int
    topic_id: str | None = None
    """Of the topic that the position is in; None where it is unknown."""


NEED_A_POSITION = {
    "position_not_in_topic": "Kafka does not have the record at the stored position of this partition (any more)",
    "topic_changed": "this is not the topic any more that the position was stored for: it was created again",
    "unreadable": "the records at this position can't be read: their batch is damaged, of an unknown kind, or "
    "unpacks to more than there is room for",
}
"""Reasons that only a new position ends, in words; the others end with `projector resume`."""


@dataclass
class Partitions:
    """The assigned partitions: each is in exactly one of these."""

    to_claim: set[TopicPartition] = field(default_factory=set)
    to_read: set[TopicPartition] = field(default_factory=set)
    reading: dict[TopicPartition, Reading] = field(default_factory=dict)
    stopped: dict[TopicPartition, Stopped] = field(default_factory=dict)

    def assign(self, assigned: Iterable[TopicPartition]) -> None:
        """These and no others are ours; each is to be claimed."""
        self.to_claim, self.to_read, self.reading, self.stopped = set(assigned), set(), {}, {}

    @property
    def assigned(self) -> set[TopicPartition]:
        """All that are ours."""
        return self.to_claim | self.to_read | self.reading.keys() | self.stopped.keys()

    def read_again(self, partitions: Iterable[TopicPartition]) -> set[TopicPartition]:
        """Somebody else moved the positions of these, or they are stopped; returns those of them that are ours."""
        ours = {p for p in partitions if p in self.reading or p in self.stopped}
        for partition in ours:
            self.reading.pop(partition, None)
        self.to_read |= ours
        return ours

    def claim_again(self, partition: TopicPartition) -> None:
        """It is read no more until it is claimed once more."""
        del self.reading[partition]
        self.to_claim.add(partition)

    def settle(self, claims: Mapping[TopicPartition, Claim]) -> dict[TopicPartition, int]:
        """What the database said of partitions to be claimed or read; returns where to read which from now on.

        One that is stopped for its position stays so while nobody has claimed or reset it since.
        """
        seek: dict[TopicPartition, int] = {}
        for partition in self.to_claim | self.to_read:
            claim = claims.get(partition)
            if claim is None:
                continue
            before = self.stopped.pop(partition, None)
            if claim.stop is not None:
                self.stopped[partition] = Stopped(claim.stop, claim.epoch)
            elif before is not None and before.reason in NEED_A_POSITION and before.epoch == claim.epoch:
                self.stopped[partition] = before
            else:
                self.reading[partition] = Reading(claim.epoch, claim.next_offset, claim.fingerprint, claim.topic_id)
                seek[partition] = claim.next_offset
            self.to_claim.discard(partition)
            self.to_read.discard(partition)
        gone = self.to_read - claims.keys()  # a position was deleted: claim it again
        self.to_read -= gone
        self.to_claim |= {p for p in gone if p not in self.reading}
        return seek

    def lost(self, spans: Mapping[TopicPartition, OffsetRange]) -> set[TopicPartition]:
        """Those that are no longer read under the claim that these offsets were read under."""
        return {p for p, span in spans.items() if not ((own := self.reading.get(p)) and own.epoch == span.epoch)}

    def stop(self, partition: TopicPartition, reason: str) -> None:
        """Read it no more."""
        reading = self.reading.pop(partition)
        self.stopped[partition] = Stopped(reason, reading.epoch, reading.topic_id)

    def of_other_topics(self, ids: Mapping[str, str | None]) -> set[TopicPartition]:
        """What is read, or was stopped for its position only, of topics whose ids are others than at the claim."""
        known = {partition: reading.topic_id for partition, reading in self.reading.items()}
        known |= {p: one.topic_id for p, one in self.stopped.items() if one.reason == "position_not_in_topic"}
        return {p for p, topic_id in known.items() if is_another(topic_id, ids.get(p.topic))}


def names(partitions: Iterable[TopicPartition]) -> list[str]:
    """As `topic:partition`."""
    return sorted(f"{p.topic}:{p.partition}" for p in partitions)
