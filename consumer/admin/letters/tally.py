"""What became of dead letters that were tried: counted by outcome and reason, and each by itself where asked for."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

LOST = "lost"
"""Stored masked or cut, and Kafka no longer has the record."""
CHANGED = "changed"
"""Somebody else tried it or gave it up in the meantime."""
REJECTED = "rejected"
RESOLVED = ("applied", "superseded", "parked", "ignored")
"""The outcomes that resolve a letter."""


class Tried(NamedTuple):
    """One letter's outcome; reason and error where it is rejected again."""

    id: int
    outcome: str
    reason: str | None = None
    error: str | None = None


class Group(NamedTuple):
    """Letters of one outcome and reason: how many, and the lowest id."""

    outcome: str
    reason: str | None
    letters: int
    first: int


@dataclass
class Tally:
    """Counts what was tried, in ascending order of the ids. `last` is the highest id that is counted."""

    groups: list[Group] = field(default_factory=list)
    last: int = 0
    details: list[Tried] | None = None
    """Each letter, where that is wanted."""

    def add(self, tried: Iterable[Tried]) -> None:
        self.groups, self.last = self.counted(tried)

    def counted(self, tried: Iterable[Tried]) -> tuple[list[Group], int]:
        """The groups and the highest id with these too; nothing is changed."""
        found = {(one.outcome, one.reason): one for one in self.groups}
        last = self.last
        for one in tried:
            of = found.get((one.outcome, one.reason), Group(one.outcome, one.reason, 0, one.id))
            found[one.outcome, one.reason] = of._replace(letters=of.letters + 1)
            last = max(last, one.id)
        return list(found.values()), last

    def number(self, *outcomes: str) -> int:
        """How many have one of these outcomes; without any: how many there are."""
        return sum(one.letters for one in self.groups if not outcomes or one.outcome in outcomes)

    @property
    def resolved(self) -> int:
        return self.number(*RESOLVED)

    @property
    def is_clean(self) -> bool:
        """Whether none is rejected again or lost."""
        return not self.number(REJECTED, LOST)


def position_of(groups: Iterable[Group], last: int) -> dict[str, Any]:
    """As `operations.position` keeps it; `tally_of` is the way back."""
    return {"letter": last, "groups": [list(one) for one in groups]}


def tally_of(position: dict[str, Any]) -> Tally:
    """What was counted before an operation was interrupted."""
    return Tally([Group(*one) for one in position.get("groups", ())], position.get("letter", 0))
