"""Which errors of one outage are worth a line in the log: the first, and another kind than the one said last."""

import time
from collections.abc import Callable

SAY_SECONDS = 60.0
"""So often at most there is a line for another kind."""


class Changes:
    """Of one thing that may have trouble. `clock` returns seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: str | None = None
        self._at = 0.0

    def is_news(self, kind: str) -> bool:
        """Whether to say it now; then it counts as said."""
        now = self._clock()
        if kind == self._said or (self._said is not None and now - self._at < SAY_SECONDS):
            return False
        self._said, self._at = kind, now
        return True

    def over(self) -> None:
        """The trouble is over: the next is news again, of whatever kind."""
        self._said = None
