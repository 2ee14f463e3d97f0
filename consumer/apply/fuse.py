"""The fuse: if nearly all records of a topic are rejected, something else is wrong, and they must not be given up.

Each topic has a window over the last records of this instance: those that are committed, and those that are about to
be. A batch is counted before its COMMIT, and taken out again if that fails. So batches that run at the same time are
judged together, and fewer than `FUSE_MIN_RECORDS` rejections in a row get through.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from neon_projector.consumer.apply.rejection_log import Why, why
from neon_projector.consumer.batch import Batch
from neon_projector.consumer.errors import FuseBlown
from neon_projector.projections.contract.event import Rejection


class Window:
    """The last `size` records of one topic, as a byte each: 1 for a rejected one."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._batches: dict[object, tuple[bytes, Counter[Why]]] = {}
        """Verdicts and reasons of each batch, in the order in which the batches were judged."""
        self.records = self.rejected = 0
        self.accepted_until = 0.0
        """Until then an operator wants the rejections; by `time.monotonic`."""

    def why(self) -> Counter[Why]:
        """How many of these records were rejected, by reason and source."""
        return sum((own for _, own in self._batches.values()), Counter[Why]())

    def blown_by(self, verdicts: bytes, enough: float) -> int:
        """With these verdicts added: if any `size` records in a row have `enough` rejections, how many they have; else
        0."""
        if self.rejected + verdicts.count(1) < enough:
            return 0
        last = b"".join(own for own, _ in self._batches.values())
        row = last[max(0, len(last) - self._size + 1) :] + verdicts
        now = row[: self._size].count(1)
        for at in range(self._size, len(row) + 1):
            if now >= enough:
                return now
            if at < len(row):
                now += row[at] - row[at - self._size]
        return 0

    def add(self, batch: object, verdicts: bytes, reasons: Counter[Why]) -> None:
        """Count a batch."""
        self._batches[batch] = verdicts[-self._size :], reasons
        self._count(verdicts[-self._size :], 1)
        while (excess := self.records - self._size) > 0:
            oldest, (own, reasons) = next(iter(self._batches.items()))
            self._count(own[:excess], -1)
            if len(own) > excess:
                self._batches[oldest] = own[excess:], reasons
            else:
                del self._batches[oldest]

    def give_back(self, batch: object) -> None:
        """Take a batch out that is not committed after all."""
        own, _ = self._batches.pop(batch, (b"", None))
        self._count(own, -1)

    def clear(self) -> None:
        self._batches.clear()
        self.records = self.rejected = 0

    def _count(self, verdicts: bytes, times: int) -> None:
        self.records += times * len(verdicts)
        self.rejected += times * verdicts.count(1)


class Fuse:
    """Blows when at least `ratio` of `min_records` consecutive records of one topic are rejected."""

    def __init__(self, min_records: int, ratio: float) -> None:
        self._size, self._enough = min_records, ratio * min_records
        self._windows: defaultdict[str, Window] = defaultdict(lambda: Window(min_records))

    @classmethod
    def never(cls) -> "Fuse":
        """One that never blows, for an operator who reads again what was there before."""
        return cls(1, 2.0)

    def accept(self, topic: str, seconds: float) -> None:
        """An operator accepts the rejections of `topic`: do not blow for so many seconds. 0: not, or no longer."""
        window, now = self._windows[topic], time.monotonic()
        window.accepted_until = now + seconds if seconds else min(window.accepted_until, now)

    def judge(self, batch: Batch, rejections: Sequence[Rejection], known: Sequence[Rejection] = ()) -> None:
        """Count a batch that is about to be committed. An earlier count of the same batch is replaced.

        FuseBlown, and nothing is counted, if there are too many `rejections`. Records in `known` were rejected earlier
        for the same reason: they do not count at all.
        """
        self.give_back(batch)
        verdicts = self._verdicts(batch, rejections, known)
        for topic, own in verdicts.items():
            window = self._windows[topic]
            if window.accepted_until > time.monotonic():
                continue
            if window.accepted_until:
                window.clear()  # what an operator accepted no longer counts
                window.accepted_until = 0.0
            if rejected := window.blown_by(own, self._enough):
                mine = [r for r in rejections if r.record.topic == topic]
                most = (window.why() + why(mine)).most_common(1)[0][0]
                raise FuseBlown(topic, rejected, self._size, most, _example(mine, most))
        for topic, own in verdicts.items():
            reasons = why(r for r in rejections if r.record.topic == topic)
            self._windows[topic].add(batch.token, own, reasons)

    def give_back(self, batch: Batch) -> None:
        """Take a batch out that was judged and is not committed."""
        for window in self._windows.values():
            window.give_back(batch.token)

    def ratios(self) -> Mapping[str, float]:
        """By topic, the part of its last `min_records` records that was rejected. Only topics that brought any."""
        return {topic: own.rejected / own.records for topic, own in self._windows.items() if own.records}

    def _verdicts(
        self, batch: Batch, rejections: Sequence[Rejection], known: Sequence[Rejection]
    ) -> Mapping[str, bytes]:
        if not rejections and not known:
            numbers: Counter[str] = Counter()
            for partition, number in batch.numbers_of(batch.decoded).items():
                numbers[partition.topic] += number
            return {topic: bytes(min(number, self._size)) for topic, number in numbers.items()}
        rejected, left_out = {id(r.record) for r in rejections}, {id(r.record) for r in known}
        verdicts: defaultdict[str, bytearray] = defaultdict(bytearray)
        for one in batch.decoded:
            if id(one.record) not in left_out:
                verdicts[one.record.topic].append(id(one.record) in rejected)
        return {topic: bytes(own) for topic, own in verdicts.items()}


def _example(rejections: Iterable[Rejection], most: Why) -> str | None:
    """The first that was rejected for this reason: nothing of the batch is kept, so nobody could look it up."""
    for one in rejections:
        if why([one])[most]:
            return f"{one.record.topic}:{one.record.partition} offset {one.record.offset}: {one.error}"
    return None
