"""What travels together: decoded records, and of each partition where they start and where the next one stands."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import NamedTuple

from aiokafka import TopicPartition

from neon_projector.consumer.offsets.claim import OffsetRange
from neon_projector.consumer.offsets.fingerprint import fingerprint
from neon_projector.projections.contract.event import Decoded
from neon_projector.projections.contract.record import Record

_PARTITION = attrgetter("record.topic", "record.partition")


@dataclass(frozen=True, slots=True)
class Fetched:
    """Records of one partition, in order. There may be none: then only markers stood between start and next."""

    partition: TopicPartition
    span: OffsetRange
    records: Sequence[Record]
    size: int = 0
    """Their bytes (`consumer.batching.sizes`), where they come out of a buffer."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a batch has of one partition."""

    span: OffsetRange
    records: int = 0
    """How many; with none only markers stand in the span."""
    first_timestamp_ms: int | None = None
    """Of the first record."""
    last_record: Record | None = None

    @classmethod
    def of(cls, span: OffsetRange, decoded: Sequence[Decoded]) -> "Part":
        """These records, which stand in `span`."""
        if not decoded:
            return cls(span)
        return cls(span, len(decoded), decoded[0].record.timestamp, decoded[-1].record)

    def then(self, later: "Part") -> "Part":
        """Both; `later` must begin where this one ends."""
        assert self.span.next_offset == later.span.start, "a gap between fetches"
        span = self.span._replace(next_offset=later.span.next_offset)
        first = later.first_timestamp_ms if self.first_timestamp_ms is None else self.first_timestamp_ms
        return Part(span, self.records + later.records, first, later.last_record or self.last_record)


class Moments(NamedTuple):
    """When a batch was made, in seconds of the loop's clock: the first record of its slice was read, the slice was cut,
    decoding began and ended."""

    first_read: float = 0.0
    cut: float = 0.0
    decoding: float = 0.0
    decoded: float = 0.0


NO_MOMENTS = Moments()


@dataclass(slots=True)
class Batch:
    """Decoded records in order of arrival, and what each partition has of them."""

    decoded: list[Decoded] = field(default_factory=list)
    parts: dict[TopicPartition, Part] = field(default_factory=dict)
    min_depth: int = 0
    """The least parent depth of its topics' entities; 0: one of them has no parents."""
    max_depth: int = 0
    """The greatest one: a batch under way with a lesser depth may bring this one's parents."""
    collected_seconds: float = 0.0
    """From the first record to the hand-over."""
    trigger: str = ""
    """Why it was closed: `count`, `bytes` or `age`."""
    moments: Moments = NO_MOMENTS
    token: object = field(default_factory=object, init=False)
    """Tells this batch from its halves, and from any other."""

    def __bool__(self) -> bool:
        return bool(self.parts)

    @property
    def spans(self) -> dict[TopicPartition, OffsetRange]:
        """The offsets of each partition that it covers."""
        return {partition: part.span for partition, part in self.parts.items()}

    @property
    def fingerprints(self) -> dict[TopicPartition, str]:
        """Of each partition that has any records, the last one's."""
        lasts = ((partition, part.last_record) for partition, part in self.parts.items())
        return {partition: fingerprint(last) for partition, last in lasts if last is not None}

    def add(self, fetched: Fetched, decoded: Sequence[Decoded]) -> None:
        """Take records in; their span must begin where this batch's span of the partition ends."""
        part, before = Part.of(fetched.span, decoded), self.parts.get(fetched.partition)
        self.parts[fetched.partition] = part if before is None else before.then(part)
        self.decoded.extend(decoded)

    def without(self, partitions: set[TopicPartition]) -> "Batch":
        """This batch less some partitions, which were given up."""
        kept = [one for one in self.decoded if _partition(one) not in partitions]
        return replace(self, decoded=kept, parts={p: own for p, own in self.parts.items() if p not in partitions})

    def halves(self) -> "tuple[Batch, Batch]":
        """Two batches that do the same one after the other; each partition is cut at the same record."""
        middle = len(self.decoded) // 2
        first, second = self.decoded[:middle], self.decoded[middle:]
        cuts: dict[TopicPartition, int] = {}
        for one in second:
            cuts.setdefault(_partition(one), one.record.offset)
        early = {p: s._replace(next_offset=cuts.get(p, s.next_offset)) for p, s in self.spans.items()}
        late = {p: s._replace(start=cuts[p]) for p, s in self.spans.items() if p in cuts}
        return (
            replace(self, decoded=first, parts=_parts(early, first)),
            replace(self, decoded=second, parts=_parts(late, second)),
        )

    def numbers_of(self, decoded: Sequence[Decoded]) -> Mapping[TopicPartition, int]:
        """How many of these there are of each partition that has any; mostly they are all of the batch, and nothing is
        counted."""
        if len(decoded) == len(self.decoded):
            return {partition: part.records for partition, part in self.parts.items() if part.records}
        return {TopicPartition(*of): number for of, number in Counter(map(_PARTITION, decoded)).items()}


def _partition(one: Decoded) -> TopicPartition:
    return TopicPartition(*_PARTITION(one))


def _parts(spans: Mapping[TopicPartition, OffsetRange], decoded: Sequence[Decoded]) -> dict[TopicPartition, Part]:
    of: dict[TopicPartition, list[Decoded]] = {partition: [] for partition in spans}
    for one in decoded:
        of[_partition(one)].append(one)
    return {partition: Part.of(span, of[partition]) for partition, span in spans.items()}
