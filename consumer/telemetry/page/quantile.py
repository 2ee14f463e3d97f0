"""A quantile of what a histogram has counted, as Prometheus' `histogram_quantile` tells it."""

from collections.abc import Sequence
from math import nan


def quantile(part: float, bounds: Sequence[float], counts: Sequence[int]) -> float:
    """Below which value `part` (0 to 1) of the observations are. NaN where there are none.

    `counts` has one bucket more than `bounds`: for what is above the last one, which is then the answer. Within a
    bucket the observations are taken to be evenly spread.
    """
    if not (total := sum(counts)):
        return nan
    rank, below = part * total, 0
    for number, count in enumerate(counts[: len(bounds)]):
        if count and below + count >= rank:
            lower = bounds[number - 1] if number else 0.0
            return lower + (bounds[number] - lower) * (rank - below) / count
        below += count
    return bounds[-1]
