"""What travels together: decoded records, and for each partition where they start and where the next one stands."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter

from aiokafka import TopicPartition

from neon_projector.consumer.offsets.claim import OffsetRange
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


@dataclass(slots=True)
class Batch:
    """Decoded records in order of arrival, with the spans they move."""

    decoded: list[Decoded] = field(default_factory=list)
    spans: dict[TopicPartition, OffsetRange] = field(default_factory=dict)
    oldest: dict[TopicPartition, int] = field(default_factory=dict)
    """Each partition's first timestamp, in milliseconds."""
    last: dict[TopicPartition, Record] = field(default_factory=dict)
    """Each partition's last record."""
    numbers: dict[TopicPartition, int] = field(default_factory=dict)
    """How many records of each partition that has any."""
    min_depth: int = 0
    """Of the generations of its topics' entities the first: 0 has no parents."""
    max_depth: int = 0
    """The last one: what is under way and has an earlier generation may bring this one's parents."""
    collected_seconds: float = 0.0
    """From the first record to the hand-over."""
    trigger: str = ""
    """Why it was closed: `count`, `bytes` or `age`."""
    token: object = field(default_factory=object, init=False)
    """Tells this batch from its halves, and from any other."""

    def __bool__(self) -> bool:
        return bool(self.spans)

    def add(self, fetched: Fetched, decoded: Sequence[Decoded]) -> None:
        """Take records in; their span must begin where this batch's span of the partition ends."""
        before = self.spans.get(fetched.partition)
        start = fetched.span.start if before is None else before.start
        assert before is None or before.next_offset == fetched.span.start, "a gap between fetches"
        self.spans[fetched.partition] = fetched.span._replace(start=start)
        if decoded:
            self.oldest.setdefault(fetched.partition, decoded[0].record.timestamp)
            self.last[fetched.partition] = decoded[-1].record
            self.numbers[fetched.partition] = self.numbers.get(fetched.partition, 0) + len(decoded)
        self.decoded.extend(decoded)

    def without(self, partitions: set[TopicPartition]) -> "Batch":
        """This batch less some partitions, which were given up."""
        kept = [d for d in self.decoded if _partition(d) not in partitions]
        spans = {partition: span for partition, span in self.spans.items() if partition not in partitions}
        oldest = {partition: time for partition, time in self.oldest.items() if partition not in partitions}
        last = {partition: record for partition, record in self.last.items() if partition not in partitions}
        numbers = {partition: number for partition, number in self.numbers.items() if partition not in partitions}
        return replace(self, decoded=kept, spans=spans, oldest=oldest, last=last, numbers=numbers)

    def halves(self) -> "tuple[Batch, Batch]":
        """Two batches that do the same one after the other; each partition is cut at the same record."""
        middle = len(self.decoded) // 2
        first, second = self.decoded[:middle], self.decoded[middle:]
        cuts: dict[TopicPartition, int] = {}
        for one in second:
            cuts.setdefault(_partition(one), one.record.offset)
        early = {p: s._replace(next_offset=cuts.get(p, s.next_offset)) for p, s in self.spans.items()}
        late = {p: s._replace(start=cuts[p]) for p, s in self.spans.items() if p in cuts}
        ends = {_partition(one): one.record for one in first}
        left = {partition: self.last[partition] for partition in cuts}
        return replace(self, decoded=first, spans=early, last=ends, numbers=_numbers(first)), replace(
            self, decoded=second, spans=late, last=left, numbers=_numbers(second)
        )

    def numbers_of(self, decoded: Sequence[Decoded]) -> Mapping[TopicPartition, int]:
        """How many of these there are of each partition; mostly they are all of the batch, and nothing is counted."""
        return self.numbers if len(decoded) == len(self.decoded) else _numbers(decoded)


def _partition(one: Decoded) -> TopicPartition:
    return TopicPartition(*_PARTITION(one))


def _numbers(decoded: Iterable[Decoded]) -> dict[TopicPartition, int]:
    return {TopicPartition(*of): number for of, number in Counter(map(_PARTITION, decoded)).items()}
