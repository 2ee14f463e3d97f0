"""The three results of decoding a record: Event, Rejection, Ignored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec

from neon_projector.projections.contract.outcome import Reason
from neon_projector.projections.contract.projection import COMPLETE, PARTIAL, EventType, Kind, Projection
from neon_projector.projections.contract.record import Record
from neon_projector.projections.contract.words.of_data import NO_TIME, NOTHING_BEFORE, NOTHING_CHANGES

_NOTHING: Mapping[str, Any] = {}


class Event(msgspec.Struct, gc=False):
    """One change of one entity. `fields` are columns and their values; a partial event has only those it sets.

    Making a Struct takes a third of a dataclass's time, and the garbage collector does not track it.
    """

    entity: str
    id: UUID
    version: int
    kind: Kind
    type: str
    fields: dict[str, Any]
    event_id: str
    source: str
    record: Record
    expects: Mapping[str, Any] = _NOTHING
    """Columns and the values that they must have at the version before."""


class MisnamedEvent(Event, gc=False):
    """An event that was read without some fields, as they stand under names that are not quite theirs."""

    misnamed: Mapping[str, str] = _NOTHING
    """By field, the name that came."""


@dataclass(slots=True)
class Rejection:
    """A bad record, its reason, and the attributes that could be read."""

    record: Record
    reason: Reason
    error: str
    event_id: str | None = None
    source: str | None = None
    type: str | None = None
    entity_id: UUID | None = None
    letter: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    """The columns of its dead letter, once made: `projections.contract.dead_letter` is slow for a large record."""


@dataclass(slots=True)
class Ignored:
    """A record that is not for this service: an unknown event type, or a compaction marker (`type` is None)."""

    record: Record
    type: str | None = None
    source: str | None = None


Decoded = Event | Rejection | Ignored


class Attributes(Protocol):
    """The attributes that an event keeps of its envelope."""

    @property
    def id(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def type(self) -> str: ...


def make_event(
    projection: Projection,
    event_type: EventType,
    checked: dict[str, Any],
    envelope: Attributes,
    time: datetime | None,
    record: Record,
) -> Event:
    """Make an event of `checked` data; the event takes the dict over.

    Rejected if a change or a time is missing, or the version before, which a partial event changes.
    """
    entity_id, version, kind = checked.pop("id"), checked.pop("version"), event_type.kind
    expects = _NOTHING
    if kind is not COMPLETE or len(checked) < event_type.width:  # else `data` is complete already
        if kind is PARTIAL:
            if event_type.changes and event_type.changes.isdisjoint(checked):
                raise NOTHING_CHANGES.rejected(fields=", ".join(sorted(event_type.changes)))
            if version == 1:
                raise NOTHING_BEFORE.rejected(type=event_type.name)
        _fill_times(event_type, checked, time)
        if event_type.expects:
            expects = {column: checked.pop(name) for name, column in event_type.expects.items()}
        for name, column in event_type.renames.items():
            checked[column] = checked.pop(name)
        if kind is COMPLETE:
            checked = {**event_type.defaults, **checked}
    return Event(
        projection.entity,
        entity_id,
        version,
        kind,
        envelope.type,
        checked,
        envelope.id,
        envelope.source,
        record,
        expects,
    )


def _fill_times(event_type: EventType, checked: dict[str, Any], time: datetime | None) -> None:
    for name in event_type.times:
        if name not in checked:
            if time is None:
                raise NO_TIME.rejected(field=f"data.{name}")
            checked[name] = time
