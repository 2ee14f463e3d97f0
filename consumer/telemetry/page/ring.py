"""The last samples of some numbers, in a memory that does not grow."""

from array import array
from collections.abc import Iterable, Mapping
from math import nan

SAMPLES = 900
"""A quarter of an hour, at one a second."""


class Ring:
    """Keeps the newest `size` samples of each of `names`; where a sample lacks a name, there is a NaN."""

    def __init__(self, names: Iterable[str], size: int = SAMPLES) -> None:
        self._columns = {name: array("d", [nan]) * size for name in names}
        self._size = size
        self.taken = 0
        """How many samples were ever added; the next one has this number."""

    def add(self, sample: Mapping[str, float]) -> None:
        """Keep this sample; the oldest one makes room."""
        at = self.taken % self._size
        for name, column in self._columns.items():
            column[at] = sample.get(name, nan)
        self.taken += 1

    def since(self, number: int) -> dict[str, list[float]]:
        """By name, the samples from `number` on, the oldest first: all that are left where that is out of reach."""
        first = number if 0 <= number <= self.taken else 0
        first = max(first, self.taken - self._size)
        places = [n % self._size for n in range(first, self.taken)]
        return {name: [column[place] for place in places] for name, column in self._columns.items()}

    @property
    def bytes(self) -> int:
        """What all samples together take."""
        return sum(column.itemsize * len(column) for column in self._columns.values())
