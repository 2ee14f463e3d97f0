"""What was measured: of the service, and of the service beside others."""

from collections import defaultdict
from dataclasses import dataclass, field

from bench.freshness import Freshness
from bench.limit import Limit
from bench.service import Drain
from bench.watch import Measured

FEWER = 100_000
"""Events of the drains for which the rows before make the difference."""
FIRST = 100_000
"""What a new worker of Debezium's sink drains before it is measured warm."""
ROW_BY_ROW = 20_000


def _lists() -> dict[int, list[Drain]]:
    return defaultdict(list)


@dataclass
class Results:
    """All that was measured, each as often as there were runs."""

    events: int
    fewer: int = FEWER
    limit: list[Limit] = field(default_factory=list)
    limit_of_two: list[Limit] = field(default_factory=list)
    """Over two connections: no goal, but what two cores can do."""
    whole: list[Drain] = field(default_factory=list)
    partial: list[Drain] = field(default_factory=list)
    far: dict[int, list[Drain]] = field(default_factory=_lists)
    """By milliseconds of round trip."""
    partitions: dict[int, list[Drain]] = field(default_factory=_lists)
    large: list[Drain] = field(default_factory=list)
    """Values of nearly 1 MB in 8 partitions."""
    small: list[Drain] = field(default_factory=list)
    """Values of 1 kB in 256 partitions."""
    filled: dict[int, list[Drain]] = field(default_factory=_lists)
    """By the number of rows that are in the tables before."""
    fresh: dict[int, list[Freshness]] = field(default_factory=lambda: defaultdict(list))
    """By events per second."""


@dataclass
class Peers:
    """All that was measured."""

    events: int
    limit: list[float] = field(default_factory=list)
    """Events per second."""
    service: list[Drain] = field(default_factory=list)
    cold: list[Measured] = field(default_factory=list)
    warm: list[Measured] = field(default_factory=list)
    rows: list[Measured] = field(default_factory=list)
    first: int = FIRST
    row_by_row: int = ROW_BY_ROW
