"""An event in few bytes, to be put on disk and folded later: `projector verify` keeps all events of the topics so.

Texts of unbounded length (`Projection.carried`) are kept as their SHA-256: no rule depends on them, and equal texts
have equal hashes. Where the record is (partition and offset) is kept, so that the original can be read again.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import COMPLETE, DELETED, PARTIAL, Kind, Projection, Registry
from neon_projector.projections.state.possible import Possible, possible

_KINDS: tuple[Kind, ...] = (COMPLETE, PARTIAL, DELETED)
_NUMBERS = {kind: number for number, kind in enumerate(_KINDS)}
_WHOLE = 0
"""The number of COMPLETE."""
ENCODER = msgspec.msgpack.Encoder(uuid_format="bytes")
"""Of what `Packing.pack` returns."""


class Packed(msgspec.Struct, array_like=True, gc=False):
    """One event. `values` of a complete event are its columns' values in order, of a partial one a dict. Read them with
    `Packing`: they are decoded only where they are needed."""

    entity: int
    id: bytes
    version: int
    kind: int
    type: int
    values: msgspec.Raw
    expects: dict[str, Any] | None
    partition: int
    offset: int


class Place(NamedTuple):
    """Stands for the record of an event that was packed: only its place is known."""

    topic: str
    partition: int
    offset: int
    timestamp: int = 0
    key: bytes | None = None
    value: bytes | None = None
    headers: Sequence[tuple[str, bytes | None]] = ()


class Packing:
    """Packs events and unpacks them. `new_id` makes an id of its 16 bytes; `partitions` are numbered in this order."""

    def __init__(
        self, registry: Registry, partitions: Sequence[tuple[str, int]], new_id: Callable[[bytes], UUID]
    ) -> None:
        self.new_id = new_id
        self._places = list(partitions)
        self._partitions = {place: number for number, place in enumerate(partitions)}
        self._types = {name: number for number, name in enumerate(registry.event_types)}
        self._names = list(registry.event_types)
        self.projections: list[Projection] = list(registry)
        self._entities = {p.entity: number for number, p in enumerate(self.projections)}
        self.columns = [columns_of(p) for p in self.projections]
        self._values = {p.entity: _getter(columns_of(p)) for p in self.projections}
        self._carried = {p.entity: [columns_of(p).index(c) for c in p.carried] for p in self.projections}
        self._ids = [[n for n, c in enumerate(columns_of(p)) if _is_id(p, c)] for p in self.projections]
        self._decode = msgspec.msgpack.Decoder().decode
        self.decode_many = msgspec.msgpack.Decoder(list[Packed]).decode
        """The events of an array of packed ones, as bytes."""

    def pack(self, event: Event) -> tuple[Any, ...]:
        """The event as a tuple for `ENCODER`."""
        kind, entity, fields, record = event.kind, event.entity, event.fields, event.record
        values: Any
        if kind is COMPLETE:
            values = self._values[entity](fields)
            if carried := self._carried[entity]:
                values = list(values)
                for n in carried:
                    values[n] = digest(values[n])
        else:
            names = self.columns[self._entities[entity]]
            carried_names = [names[n] for n in self._carried[entity]]
            values = {c: digest(v) if c in carried_names else v for c, v in fields.items()}
        return (
            self._entities[entity], event.id.bytes, event.version, _NUMBERS[kind], self._types[event.type], values,
            dict(event.expects) or None, self._partitions[record.topic, record.partition], record.offset,
        )  # fmt: skip

    def values(self, packed: Packed) -> list[Any]:
        """The columns' values of a complete event, in order."""
        values: list[Any] = self._decode(packed.values)
        for n in self._ids[packed.entity]:
            if values[n] is not None:
                values[n] = self.new_id(values[n])
        return values

    def event(self, packed: Packed) -> Event:
        """The event again, without the attributes that the fold does not need."""
        columns, ids = self.columns[packed.entity], self._ids[packed.entity]
        if packed.kind == _WHOLE:
            fields = dict(zip(columns, self.values(packed), strict=True))
        else:
            fields = self._with_ids(self._decode(packed.values), [columns[n] for n in ids])
        expects = self._with_ids(packed.expects or {}, [columns[n] for n in ids])
        return Event(
            self.projections[packed.entity].entity, self.new_id(packed.id), packed.version, _KINDS[packed.kind],
            self._names[packed.type], fields, "", "", Place(*self._places[packed.partition], packed.offset), expects,
        )  # fmt: skip

    def possible(self, own: Sequence[Packed]) -> list[Possible]:
        """What these events of one entity can have led to."""
        return possible(map(self.event, own))

    def _with_ids(self, fields: dict[str, Any], columns: Iterable[str]) -> dict[str, Any]:
        return fields | {c: self.new_id(fields[c]) for c in columns if fields.get(c) is not None}


def newest_of_complete(own: Sequence[Packed]) -> Packed | None:
    """The newest of these events of one entity, where it alone is the state: all are complete and none is of the same
    version as another. For these `possible` says the same, at ten times the cost."""
    newest = own[0]
    if len(own) == 1:
        return newest if newest.kind == _WHOLE else None
    if any(event.kind != _WHOLE for event in own) or len({event.version for event in own}) < len(own):
        return None
    return max(own, key=attrgetter("version"))


def columns_of(projection: Projection) -> list[str]:
    """The columns beside `id` and `version`, in the table's order."""
    return [column for column in projection.columns if column not in ("id", "version")]


def digest(text: str | None) -> bytes | None:
    """What stands for a text of unbounded length; Postgres computes the same by `sha256(convert_to(text, 'UTF8'))`."""
    return None if text is None else sha256(text.encode()).digest()


def _getter(columns: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    get = itemgetter(*columns)
    return get if len(columns) > 1 else lambda fields: (get(fields),)


def _is_id(projection: Projection, column: str) -> bool:
    return projection.table.columns[column].type.python_type is UUID
