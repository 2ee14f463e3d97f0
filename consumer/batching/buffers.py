"""What is read and not yet decoded, of all partitions; taken across partitions by the records' timestamps."""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from aiokafka import TopicPartition

from neon_projector.consumer.batch import Fetched
from neon_projector.consumer.batching.buffer import ANY_TIME, NOTHING, Buffer, Buffered


class Watermark(NamedTuple):
    """The time up to which all that is to be had is here. It changes when one of those moves on that hold it back."""

    time: int
    """In milliseconds, as records count (`buffer.Buffer`)."""
    held_back_by: int
    """So many partitions have nothing later here, and more in Kafka."""


class Buffers:
    """All partitions' buffers."""

    def __init__(self) -> None:
        self._buffers: dict[TopicPartition, Buffer] = {}
        self._buffered: dict[TopicPartition, Buffered] = {}
        """Of each buffer what it holds: it is asked for all of them much more often than it changes."""
        self._until: dict[int, tuple[int, int]] = {}
        """What `until` has told, as long as nothing changes: there may be hundreds of buffers to ask."""

    def add(self, fetched: Fetched, latest: int = ANY_TIME) -> int:
        """Take in what comes next; a new epoch starts with an empty buffer. As `Buffer.add`."""
        partition, span = fetched.partition, fetched.span
        buffer = self._buffers.get(partition)
        if buffer is None or buffer.epoch != span.epoch:
            buffer = self._buffers[partition] = Buffer(span.epoch, span.start)
        ahead = buffer.add(fetched, latest)
        self._buffered[partition] = buffer.buffered
        self._until.clear()
        return ahead

    def later(self, time: int) -> dict[TopicPartition, int]:
        """The partitions whose records are all later than `time`, each with its first record's offset."""
        return {p: b.first_offset for p, b in self._buffers.items() if b.first is not None and b.first > time}

    def hasten(self, partitions: Iterable[TopicPartition], time: int) -> None:
        """Let what is here of these, and what comes, count as so much earlier that it may be handed over by `time`."""
        self._until.clear()
        for partition in partitions:
            self._buffers[partition].hasten(time)
            self._buffered[partition] = self._buffers[partition].buffered

    def stop_hastening(self) -> None:
        """From now on, what comes counts as its times say."""
        for buffer in self._buffers.values():
            buffer.shift = 0

    def drop(self, partitions: Iterable[TopicPartition]) -> None:
        self._until.clear()
        for partition in partitions:
            self._buffers.pop(partition, None)
            self._buffered.pop(partition, None)

    @property
    def size(self) -> int:
        """The bytes of all that is here."""
        return sum(one.size for one in self._buffered.values())

    def buffered(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, Buffered]:
        """What is here of each of these."""
        found = dict.fromkeys(partitions, NOTHING)
        number = len(found)
        found |= self._buffered
        return found if len(found) == number else {p: found[p] for p in partitions}

    def oldest(self) -> dict[TopicPartition, int]:
        """Of each partition the first record's timestamp, in milliseconds."""
        return {p: buffer.first_timestamp for p, buffer in self._buffers.items() if buffer.first is not None}

    def watermark(self, behind: Iterable[TopicPartition]) -> Watermark:
        """How far all is here that is to be had, given the partitions that have more in Kafka."""
        lasts = [self._buffered.get(partition, NOTHING).last_timestamp_ms for partition in behind]
        time = min(lasts, default=ANY_TIME)
        return Watermark(time, lasts.count(time))

    def until(self, time: int) -> tuple[int, int]:
        """How many records are no later, and their bytes."""
        if time not in self._until:
            found = [buffer.until(time) for buffer in self._filled()]
            self._until[time] = sum(number for number, _ in found), sum(size for _, size in found)
        return self._until[time]

    def any(self, time: int) -> bool:
        """Whether there is anything to hand over: a record no later than that, or markers alone."""
        return self.until(time)[0] > 0 or any(b.first is None for b in self._filled())

    def take(self, time: int, max_records: int, max_bytes: int, max_each: int) -> list[Fetched]:
        """The earliest records up to that time, of each partition the next ones: as many as fit, at least one."""
        time = self._latest_that_fits(time, max_records, max_bytes)
        self._until.clear()
        parts = []
        for partition, buffer in self._buffers.items():
            if buffer:
                number = min(buffer.until(time)[0], max_records, max_each)
                if number or buffer.first is None:
                    parts.append(buffer.take(partition, number))
                    self._buffered[partition] = buffer.buffered
                    max_records -= number
        return parts

    def __bool__(self) -> bool:
        """Whether there is anything at all."""
        return any(self._filled())

    def _filled(self) -> Iterator[Buffer]:
        return (buffer for buffer in self._buffers.values() if buffer)

    def _latest_that_fits(self, time: int, max_records: int, max_bytes: int) -> int:
        """By halving; records of one millisecond may be too many, `take` then leaves some of them."""
        low = min((b.first for b in self._filled() if b.first is not None), default=time)
        high = max(low, min(time, max((b.buffered.last_timestamp_ms for b in self._filled()), default=time)))
        middle = high  # mostly all of it fits
        while low < high:
            number, size = self.until(middle)
            if number <= max_records and size <= max_bytes:
                low = middle
            else:
                high = middle - 1
            middle = (low + high + 1) // 2
        return low
