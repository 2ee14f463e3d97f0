"""The publisher's own truth: what the tables must be. It shares no code with the service that is to be proved.

A story (`stories`) says here what it does in the same breath as it makes the record that tells of it.
"""

import random
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

Row = dict[str, Any]
"""Columns and their values, as the database returns them."""

Partition = tuple[str, int]
"""Topic and number."""


class Rows:
    """Rows by id, of which one can be picked at random at once."""

    def __init__(self) -> None:
        self._rows: dict[UUID, Row] = {}
        self._ids: list[UUID] = []
        self._places: dict[UUID, int] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, row: Row) -> None:
        """Add a row, or replace the one with its id."""
        if row["id"] not in self._rows:
            self._places[row["id"]] = len(self._ids)
            self._ids.append(row["id"])
        self._rows[row["id"]] = row

    def keep(self, row: Row) -> None:
        """Add or replace a row that is never picked: the story that has it plays alone with it."""
        self._rows[row["id"]] = row

    def forget(self, entity_id: UUID) -> None:
        """Take out a row that was kept."""
        del self._rows[entity_id]

    def drop(self, entity_id: UUID) -> None:
        """KeyError where there is none."""
        del self._rows[entity_id]
        place, last = self._places.pop(entity_id), self._ids.pop()
        if last != entity_id:
            self._ids[place], self._places[last] = last, place

    def pick(self, rng: random.Random) -> Row | None:
        """Any row; None where there is none."""
        return self._rows[rng.choice(self._ids)] if self._ids else None

    def by_id(self) -> dict[UUID, Row]:
        return self._rows


@dataclass
class Truth:
    """What must stand in the database when everything published is consumed."""

    users: Rows = field(default_factory=Rows)
    documents: Rows = field(default_factory=Rows)
    absent: Rows = field(default_factory=Rows)
    """Entities that their table does not show: `entity`, `id`, `version`, `reason` (`deleted`: a tombstone)."""
    parked: set[tuple[str, UUID, int]] = field(default_factory=set)
    """Partial events that still wait for their base: entity, id, version."""
    dead_letters: dict[tuple[str, int, int], str] = field(default_factory=dict)
    """The reason of each bad record, by topic, partition, offset."""
    ignored: int = 0
    next_offsets: dict[Partition, int] = field(default_factory=dict)
    """One more than the highest offset that the broker has given a record, by partition."""
    published: int = 0

    def acknowledged(self, topic: str, partition: int, offset: int, *, reason: str | None, ignored: bool) -> None:
        """The broker has taken a record; `reason`: why it is bad."""
        self.published += 1
        self.ignored += ignored
        known = self.next_offsets.get((topic, partition), 0)
        self.next_offsets[topic, partition] = max(known, offset + 1)
        if reason is not None:
            self.dead_letters[topic, partition, offset] = reason

    def delete_document(self, row: Row, version: int) -> None:
        """The document is gone; its tombstone remains."""
        self.documents.drop(row["id"])
        self.absent.put({"entity": "document", "id": row["id"], "version": version, "reason": "deleted"})
