"""One partition's records that are read and not yet decoded, in order, with the times that they count as."""

from bisect import bisect_right
from itertools import accumulate, islice
from operator import attrgetter
from typing import NamedTuple

from aiokafka import TopicPartition

from neon_projector.consumer.batch import Fetched
from neon_projector.consumer.batching.sizes import sizes
from neon_projector.consumer.offsets.claim import OffsetRange
from neon_projector.projections.contract.record import Record

ANY_TIME = 2**63 - 1
EARLIEST = 1
"""The time of the last record that was read is no less, also where its own is none: 0, or -1 in Kafka's protocol."""
_TIME = attrgetter("timestamp")


class Buffered(NamedTuple):
    """How much of a partition is here: records, and their bytes (`consumer.batching.sizes`)."""

    records: int = 0
    size: int = 0
    last_timestamp_ms: int = 0
    """The time of the last one that was read, it may be handed over already; 0 where none was."""
    records_per_ms: float = 0.0
    """Of those that were read last, records for each millisecond of their times."""
    bytes_per_record: float = 0.0
    """Of the same, bytes for each record."""


NOTHING = Buffered()


class Buffer:
    """One partition's records. Times never fall: a record counts as no earlier than those before it that are here, and
    as no later than it was read."""

    def __init__(self, epoch: int, start: int) -> None:
        self.epoch = epoch
        self._start = self._end = start
        self._records: list[Record] = []
        self._times: list[int] = []
        self._bytes: list[int] = [0]
        """Before each record, and after the last one: the bytes of all up to there."""
        self.buffered = NOTHING
        self.shift = 0
        """By so much earlier do records count, as others have held them back for long."""

    def __bool__(self) -> bool:
        return self._end > self._start

    @property
    def first(self) -> int | None:
        return self._times[0] if self._times else None

    @property
    def first_timestamp(self) -> int:
        """The first record's own time; it may count as later, after others."""
        return self._records[0].timestamp

    @property
    def first_offset(self) -> int:
        return self._records[0].offset

    def add(self, fetched: Fetched, latest: int = ANY_TIME) -> int:
        """Take in what comes next; times after `latest` count as that. Returns how much later the last one was."""
        ahead = 0
        assert fetched.span.start == self._end, "a gap between fetches"
        self._end = fetched.span.next_offset
        if records := fetched.records:
            before = self._times[-1] if self._times else 0
            times, ahead = self._count_as([*map(_TIME, records)], before, latest)
            self._times.extend(times)
            start = self._bytes.pop()
            self._bytes.extend(accumulate(sizes(records), initial=start))
            self._records.extend(records)
            last, number = max(EARLIEST, self._times[-1]), len(records)
            records_per_ms = number / max(1, last - (self.buffered.last_timestamp_ms or self._times[0]))
            self._count(last, records_per_ms, (self._bytes[-1] - start) / number)
        return ahead

    def _count_as(self, own: list[int], before: int, latest: int) -> tuple[list[int], int]:
        """What the records' own times count as, and by how much the last one is after `latest`."""
        if self.shift:
            return _rising([time - self.shift for time in own], before), 0
        times, latest = _rising(own, before), max(latest, before)
        if (ahead := times[-1] - latest) <= 0:
            return times, 0
        number = bisect_right(times, latest)
        return [*times[:number], *[latest] * (len(times) - number)], ahead

    def hasten(self, time: int) -> None:
        """Let what is here, and what comes, count as so much earlier that the first record is no later than `time`."""
        if self._times and (by := self._times[0] - time) > 0:
            self.shift = max(self.shift + by, self.first_timestamp - time)
            self._times = [one - by for one in self._times]
            self._count(self.buffered.last_timestamp_ms - by, *self.buffered[3:])

    def until(self, time: int) -> tuple[int, int]:
        """The number of records that are no later, and their bytes."""
        if self.buffered.last_timestamp_ms <= time:
            return self.buffered[:2]
        number = bisect_right(self._times, time)
        return number, self._bytes[number] - self._bytes[0]

    def take(self, partition: TopicPartition, number: int) -> Fetched:
        """The first records; with the last one also the markers behind it."""
        taken, size = self._records[:number], self._bytes[number] - self._bytes[0]
        del self._records[:number], self._times[:number], self._bytes[:number]
        end = self._records[0].offset if self._records else self._end
        span, self._start = OffsetRange(self._start, end, self.epoch), end
        self._count(*self.buffered[2:])
        return Fetched(partition, span, taken, size)

    def _count(self, last_timestamp_ms: int, records_per_ms: float, bytes_per_record: float) -> None:
        self.buffered = Buffered(
            len(self._records), self._bytes[-1] - self._bytes[0], last_timestamp_ms, records_per_ms, bytes_per_record
        )


def _rising(times: list[int], before: int) -> list[int]:
    """`times`, none of them less than `before` or than one that stands before it; mostly that is how they are."""
    if times[0] >= before and sorted(times) == times:
        return times
    return list(islice(accumulate(times, max, initial=before), 1, None))
