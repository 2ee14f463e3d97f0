"""Counts within bounded memory, however many names come: exact as long as they fit."""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

NAMES = 10_000
IDS = 200_000


@dataclass(slots=True)
class Count(Generic[K]):
    """Records of one name. `no_event`: those without a readable source or type. In milliseconds since 1970, 0 where
    that is unknown: when the first one came (`since`) and the last one (`until`), and the newest time that one has."""

    name: K
    missing: int
    """So many may have come before these, at most: the name was there, and had gone."""
    records: int = 0
    no_event: int = 0
    since: int = 0
    until: int = 0
    newest: int = 0


class Busiest(Generic[K]):
    """Counts by name. Where more than twice `most` names have come, those with few records go (Misra and Gries, 1982).

    A name with more than one of `most` of all records is always there, and `missing` of each is at most so many.
    """

    def __init__(self, most: int = NAMES) -> None:
        self._most = most
        self._counts: dict[K, Count[K]] = {}
        self.missing = 0
        """At most so many records of any name are missing; 0: all is exact."""

    def of(self, name: K) -> Count[K]:
        """To count in."""
        found = self._counts.get(name)
        if found is None:
            if len(self._counts) >= 2 * self._most:
                self._drop()
            found = self._counts[name] = Count(name, self.missing)
        return found

    def ranked(self) -> list[Count[K]]:
        """Those with most records first."""
        return sorted(self._counts.values(), key=lambda one: -one.records)

    def _drop(self) -> None:
        """Take the same number from all, and let those go that have nothing left."""
        self.missing += sorted(map(self._left, self._counts.values()), reverse=True)[self._most]
        self._counts = {one.name: one for one in self._counts.values() if self._left(one) > 0}

    def _left(self, one: Count[K]) -> int:
        return one.records - (self.missing - one.missing)


class Distinct(Generic[K]):
    """How many different things each group has. Of more than `most` in all, every second, fourth, ... is kept, chosen
    by its hash (adaptive sampling: Flajolet, 1990), and the answer is an estimate: some 0.3 % of all wrong where the
    group has half of them."""

    def __init__(self, most: int = IDS) -> None:
        self._most = most
        self._mask = 0
        self._kept: dict[int, K] = {}

    def add(self, group: K, thing: Hashable) -> None:
        hashed = hash((group, thing))
        if hashed & self._mask:
            return
        self._kept[hashed] = group
        while len(self._kept) > self._most:
            self._mask = 2 * self._mask + 1
            self._kept = {one: group for one, group in self._kept.items() if not one & self._mask}

    @property
    def exact(self) -> bool:
        return not self._mask

    def numbers(self) -> dict[K, int]:
        """By group; one that is not there has none, or very few."""
        return {group: number * (self._mask + 1) for group, number in Counter(self._kept.values()).items()}
