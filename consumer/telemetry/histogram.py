"""A histogram for whole batches of observations: the library's own takes them one by one."""

import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar
from prometheus_client.utils import floatToGoString


class BatchHistogram(Collector):
    """A histogram that takes a whole batch of observations at once."""

    def __init__(self, name: str, help_text: str, buckets: Sequence[float], registry: CollectorRegistry) -> None:
        self._name, self._help, self._bounds = name, help_text, tuple(buckets)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0
        self._exemplars: list[Exemplar | None] = [None] * len(self._counts)
        """Of each bucket the last value that came with labels."""
        registry.register(self)

    def observe_all(self, values: Iterable[tuple[float, int]], exemplar: Mapping[str, str] | None = None) -> None:
        """Count each value as often as the number beside it says. `exemplar`: labels of where they come from, as a
        trace; OpenMetrics shows them beside the last value of each bucket."""
        last: dict[int, float] = {}
        for value, times in values:
            bucket = bisect_left(self._bounds, value)
            self._counts[bucket] += times
            self._sum += value * times
            last[bucket] = value
        if exemplar is not None:
            now = time.time()
            for bucket, value in last.items():
                self._exemplars[bucket] = Exemplar(dict(exemplar), value, now)

    @property
    def bounds(self) -> tuple[float, ...]:
        """The upper bounds of all buckets but the last one, which has none."""
        return self._bounds

    def counts(self) -> list[int]:
        """How many observations are in each bucket, since the start."""
        return list(self._counts)

    def collect(self) -> Iterator[Metric]:
        family = HistogramMetricFamily(self._name, self._help)
        total, buckets = 0, list[tuple[str, float] | tuple[str, float, Exemplar]]()
        bounds = (*map(floatToGoString, self._bounds), "+Inf")
        for bound, count, exemplar in zip(bounds, list(self._counts), list(self._exemplars), strict=True):
            total += count
            buckets.append((bound, float(total)) if exemplar is None else (bound, float(total), exemplar))
        family.add_metric([], buckets, self._sum)
        yield family
