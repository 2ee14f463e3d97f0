"""A histogram for whole batches of observations: the library's own takes them one by one."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class BatchHistogram(Collector):
    """A histogram that takes a whole batch of observations at once."""

    def __init__(self, name: str, help_text: str, buckets: Sequence[float], registry: CollectorRegistry) -> None:
        self._name, self._help, self._bounds = name, help_text, tuple(buckets)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0
        registry.register(self)

    def observe_all(self, values: Iterable[tuple[float, int]]) -> None:
        """Count each value as often as the number beside it says."""
        for value, times in values:
            self._counts[bisect_left(self._bounds, value)] += times
            self._sum += value * times

    @property
    def bounds(self) -> tuple[float, ...]:
        """The upper bounds of all buckets but the last one, which has none."""
        return self._bounds

    def counts(self) -> list[int]:
        """How many observations are in each bucket, since the start."""
        return list(self._counts)

    def collect(self) -> Iterator[Metric]:
        family = HistogramMetricFamily(self._name, self._help)
        total, buckets = 0, []
        for bound, count in zip((*map(floatToGoString, self._bounds), "+Inf"), list(self._counts), strict=True):
            total += count
            buckets.append((bound, float(total)))
        family.add_metric([], buckets, self._sum)
        yield family
