"""What `verify` has found."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

AHEAD = "ahead"
NO_DIFFERENCE = (AHEAD, "unprovable")
"""Kinds of what is not proved, and not known to be wrong."""


@dataclass(frozen=True)
class Difference:
    """Something that is not what it must be: `missing`, `unexpected`, `different` (then `columns` names what),
    `unprovable` (the topics no longer have what made it, or say too many things), or `ahead` (the service had read of
    it what is at or behind its positions); versions where there are any."""

    table: str
    id: UUID
    kind: str
    columns: list[str] | None
    expected_version: int | None
    found_version: int | None


@dataclass
class Report:
    """What was compared, and what differs."""

    operation: int = 0
    records: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    """By table."""
    waiting: int = 0
    """States kept aside and partial events that wait: they are compared, too."""
    kinds: dict[str, int] = field(default_factory=dict)
    """How many differ, by kind, listed or not."""
    open: dict[str, int] = field(default_factory=dict)
    """Entities of which the events alone don't tell the place or the state, by reason. They are compared as far as the
    definition goes, and are no difference."""
    unprovable: list[str] = field(default_factory=list)
    """Partitions of which Kafka does not have all records up to the position, as `topic:partition: what is missing`."""

    without_position: list[str] = field(default_factory=list)
    """Partitions that have had records and have no position, as `topic:partition …`."""
    by_key: list[str] | None = None
    """Only these partitions were read, as `topic:partition`; None: all."""
    partitions: int = 0
    """How many have a position."""

    @property
    def differing(self) -> int:
        return sum(number for kind, number in self.kinds.items() if kind not in NO_DIFFERENCE)

    @property
    def verdict(self) -> str:
        """`differs`, `ahead` (all else is what the topics say), `unprovable` (all that could be read says the same) or
        `equal`."""
        if self.differing:
            return "differs"
        if self.kinds.get(AHEAD):
            return AHEAD
        return "unprovable" if self.unprovable or self.kinds.get("unprovable") else "equal"

    def as_json(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict, "operation": self.operation, "records": self.records, "rows": self.rows,
            "waiting": self.waiting, "differing": self.differing, "kinds": self.kinds, "open": self.open,
            "unprovable": self.unprovable, "without_position": self.without_position,
            "by_key": self.by_key, "partitions": self.partitions,
        }  # fmt: skip
