"""Takes a sample of state and metrics each second, for the curves: from memory, in the sidecar's thread."""

from collections import deque
from collections.abc import Sequence
from math import nan
from typing import NamedTuple

from neon_projector.consumer.telemetry.metrics import Metrics
from neon_projector.consumer.telemetry.page.quantile import quantile
from neon_projector.consumer.telemetry.page.ring import Ring
from neon_projector.consumer.telemetry.state import ServiceState

OUTCOMES = ("applied", "superseded", "parked", "rejected", "ignored")
CURVES = ("t", "p50", "p99", "lag", "oldest", *OUTCOMES)
CURVE_SECONDS = 10
"""A point of the curves of freshness tells of so many seconds."""
RECENT_SECONDS = 60
"""The figures of freshness tell of so many seconds, those of rates of CURVE_SECONDS."""


class Freshness(NamedTuple):
    """Seconds from a record's timestamp to its commit; NaN where nothing was committed."""

    p50: float
    p99: float


class _Seen(NamedTuple):
    at: float
    counts: Sequence[int]
    totals: dict[str, int]


class Sampler:
    """`take` one sample a second; `ring` has the curves, by the names in CURVES. Rates are records a second, `t` is
    Unix time."""

    def __init__(self, state: ServiceState, metrics: Metrics) -> None:
        self._state, self._histogram = state, metrics.freshness
        self.ring = Ring(CURVES)
        self._seen: deque[_Seen] = deque(maxlen=RECENT_SECONDS + 1)

    def take(self, now: float) -> None:
        """Take one; `now` is Unix time."""
        state, before = self._state, self._seen[-1] if self._seen else None
        self._seen.append(_Seen(now, self._histogram.counts(), dict(state.totals)))
        fresh = self.freshness(CURVE_SECONDS)
        lag = state.known_lag
        self.ring.add(
            {
                "t": now,
                "p50": fresh.p50,
                "p99": fresh.p99,
                "lag": nan if lag is None else lag,
                "oldest": nan if lag is None else max(state.lag_seconds.values(), default=0.0),
                **(nan_rates() if before is None else self._rates(before)),
            }
        )

    def freshness(self, seconds: int = RECENT_SECONDS) -> Freshness:
        """Of what was committed in the last so many seconds."""
        if not self._seen:
            return Freshness(nan, nan)
        new, old = self._seen[-1].counts, self._back(seconds).counts
        counts = [one - other for one, other in zip(new, old, strict=True)]
        return Freshness(*(quantile(part, self._histogram.bounds, counts) for part in (0.5, 0.99)))

    def rates(self) -> dict[str, float]:
        """Records a second by outcome, over CURVE_SECONDS."""
        return self._rates(self._back(CURVE_SECONDS)) if self._seen else nan_rates()

    def _back(self, seconds: int) -> _Seen:
        return self._seen[max(0, len(self._seen) - 1 - seconds)]

    def _rates(self, before: _Seen) -> dict[str, float]:
        last = self._seen[-1]
        if (took := last.at - before.at) <= 0:
            return nan_rates()
        return {name: (last.totals.get(name, 0) - before.totals.get(name, 0)) / took for name in OUTCOMES}


def nan_rates() -> dict[str, float]:
    """Nothing is known of any rate."""
    return dict.fromkeys(OUTCOMES, nan)
