"""What decoding makes of a record: an event, a rejection, or nothing."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from projections.outcome import Reason
from projections.projection import Kind
from projections.record import Record


@dataclass(slots=True)
class Event:
    """One change of one entity. `fields` are columns and their values: for a partial event those it sets."""

    entity: str
    id: UUID
    version: int
    kind: Kind
    type: str
    fields: dict[str, Any]
    event_id: str
    source: str
    record: Record
    expects: dict[str, Any] = field(default_factory=dict)
    """Columns and the values they must have had at the version before."""


@dataclass(slots=True)
class Rejection:
    """A record that is bad, and what could be read of it."""

    record: Record
    reason: Reason
    error: str
    event_id: str | None = None
    source: str | None = None
    type: str | None = None
    entity_id: UUID | None = None


@dataclass(slots=True)
class Ignored:
    """A record that is none of ours: an unknown type, or a compaction marker."""

    record: Record


Decoded = Event | Rejection | Ignored
