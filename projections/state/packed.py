"""An event in few bytes, to be put on disk and folded later: `projector verify` keeps all events of the topics so.

Texts of unbounded length (`Projection.carried`) are kept as their SHA-256: no rule depends on them, and equal texts
have equal hashes. Where the record is (partition and offset) is kept, so that the original can be read again.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from operator import itemgetter
from typing import Any
from uuid import UUID

import msgspec

from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import COMPLETE, DELETED, PARTIAL, Kind, Projection, Registry
from neon_projector.projections.contract.record import RecordPlace
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
        self.columns = [columns_of(p) for p in self.projections]
        self._entities = {
            p.entity: (n, _getter(columns_of(p)), [columns_of(p).index(c) for c in p.carried], p.carried)
            for n, p in enumerate(self.projections)
        }
        """By entity: its number, and how its values are taken."""
        self._ids = [[n for n, c in enumerate(columns_of(p)) if _is_id(p, c)] for p in self.projections]
        self._decode = msgspec.msgpack.Decoder().decode
        self.decode_many = msgspec.msgpack.Decoder(list[Packed]).decode
        """The events of an array of packed ones, as bytes."""

    def pack(self, event: Event) -> tuple[Any, ...]:
        """The event as a tuple for `ENCODER`."""
        kind, fields, record = event.kind, event.fields, event.record
        number, values_of, places, carried = self._entities[event.entity]
        values: Any
        if kind is COMPLETE:
            kind_number, values = _WHOLE, values_of(fields)
            if places:
                values = list(values)
                for n in places:
                    values[n] = digest(values[n])
        else:
            kind_number = _NUMBERS[kind]  # hashing a member of an Enum takes as long as all the rest
            values = {c: digest(v) if c in carried else v for c, v in fields.items()}
        return (
            number, event.id.bytes, event.version, kind_number, self._types[event.type], values,
            event.expects or None, self._partitions[record.topic, record.partition], record.offset,
        )  # fmt: skip

    def place(self, packed: Packed) -> tuple[str, int, int]:
        """Topic, partition and offset of its record."""
        return *self._places[packed.partition], packed.offset

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
            self._names[packed.type], fields, "", "", RecordPlace(*self._places[packed.partition], packed.offset),
            expects,
        )  # fmt: skip

    def possible(self, own: Sequence[Packed]) -> list[Possible]:
        """What these events of one entity can have led to."""
        return possible(map(self.event, own))

    def _with_ids(self, fields: dict[str, Any], columns: Iterable[str]) -> dict[str, Any]:
        return fields | {c: self.new_id(fields[c]) for c in columns if fields.get(c) is not None}


def newest_of_complete(own: Sequence[Packed]) -> Packed | None:
    """The newest of these events of one entity, where it alone is the state: all are complete, and their versions rise
    as they come. For these `possible` says the same, at ten times the cost."""
    newest = None
    for event in own:
        if event.kind != _WHOLE or (newest is not None and event.version <= newest.version):
            return None
        newest = event
    return newest


def deciding(own: Iterable[Packed]) -> list[Packed]:
    """Those of these events of one entity that decide its state: from the newest version on of which every content is
    complete. In the order of the log."""
    events = list(own)
    partial = {event.version for event in events if event.kind == _NUMBERS[PARTIAL]}
    covered = max((event.version for event in events if event.version not in partial), default=0)
    return sorted((e for e in events if e.version >= covered), key=lambda e: (e.partition, e.offset))


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
