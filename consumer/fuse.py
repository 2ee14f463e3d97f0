"""The fuse: when nearly everything is rejected, something else is wrong, and the records are not given up yet."""

from collections import deque
from collections.abc import Sequence
from itertools import repeat

from projections.event import Decoded, Rejection


class Fuse:
    """Blows when at least `ratio` of `min_records` consecutive records are rejected."""

    def __init__(self, min_records: int, ratio: float) -> None:
        self._enough = ratio * min_records
        self._last: deque[bool] = deque(maxlen=min_records)
        self._armed = True

    def accept(self) -> None:
        """An operator wants the rejections: do not blow until it has become calm."""
        self._armed = False
        self._last.clear()

    def blows(self, decoded: Sequence[Decoded], rejections: Sequence[Rejection]) -> bool:
        """Whether a batch with these rejections blows it. It keeps nothing: `count` does, after the commit."""
        if not self._armed or len(rejections) + sum(self._last) < self._enough:
            return False
        window, rejected = deque(self._last, self._last.maxlen), {id(r.record) for r in rejections}
        now = sum(window)
        for one in decoded:
            now += (id(one.record) in rejected) - (window[0] if len(window) == window.maxlen else 0)
            window.append(id(one.record) in rejected)
            if len(window) == window.maxlen and now >= self._enough:
                return True
        return False

    def count(self, decoded: Sequence[Decoded], rejections: Sequence[Rejection]) -> None:
        """Remember a batch that is committed."""
        last, rejected = decoded[-(self._last.maxlen or 0) :], {id(r.record) for r in rejections}
        self._last.extend((id(one.record) in rejected for one in last) if rejected else repeat(False, len(last)))
        if len(self._last) == self._last.maxlen and sum(self._last) < self._enough:
            self._armed = True
