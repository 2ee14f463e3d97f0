"""Folds what is on disk, bucket by bucket, and hands the states over to the database."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.admin.verify.copy_rows import copy_rows
from neon_projector.consumer.admin.verify.spill import Spill
from neon_projector.consumer.errors import BadData, FatalError
from neon_projector.consumer.recovery.translate import translated
from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import Projection, Registry
from neon_projector.projections.sql.verify.tables import (
    AWAITED,
    CERTAIN,
    EXPECTED_MORE,
    ONE_OF_SEVERAL,
    OPEN,
    UNTRIED,
    Side,
)
from neon_projector.projections.state.packed import Packed, Packing, columns_of, newest_of_complete
from neon_projector.projections.state.possible import Possible

Rows = list[tuple[Any, ...]]
ALTERED = "what the topics say does not fit: an application has altered a column of"


@dataclass
class Expected:
    """What the topics say of some entities of one projection, as rows of the side tables."""

    expected: Rows = field(default_factory=list)
    several: Rows = field(default_factory=list)
    awaited: Rows = field(default_factory=list)


class Folding:
    """Folds buckets; what is expected collects in `found`, by number of the projection, until it is written."""

    def __init__(self, registry: Registry, packing: Packing, side: Side, ids: Collection[UUID] = frozenset()) -> None:
        """`ids`: only these entities are folded (none: all)."""
        self._ids = {one.bytes for one in ids}
        self._registry, self._packing, self._side = registry, packing, side
        self._width = [len(columns_of(p)) for p in packing.projections]
        self.found = [Expected() for _ in packing.projections]

    def fold(self, spill: Spill, bucket: int) -> int:
        """Fold one bucket; returns how many rows are collected."""
        entities: list[dict[bytes, list[Packed]]] = [{} for _ in self.found]
        for part in spill.parts(bucket):
            for packed in self._packing.decode_many(part):
                if self._ids and packed.id not in self._ids:
                    continue
                those = entities[packed.entity]
                if (own := those.get(packed.id)) is None:
                    those[packed.id] = [packed]
                else:
                    own.append(packed)
        for number, those in enumerate(entities):
            self._fold(number, those)
        return sum(len(one.expected) + len(one.several) + len(one.awaited) for one in self.found)

    def _fold(self, number: int, those: Mapping[bytes, Sequence[Packed]]) -> None:
        found, new_id, values = self.found[number].expected, self._packing.new_id, self._packing.values
        for id_bytes, own in those.items():
            if (newest := newest_of_complete(own)) is not None:
                version = newest.version
                found.append((new_id(id_bytes), version, *values(newest), version, True, CERTAIN))
            else:
                self._doubtful(number, new_id(id_bytes), own)

    async def write(self, connection: AsyncConnection) -> None:
        """Within a transaction: put what is collected into the side tables. FatalError where a column takes less than
        the contract allows: the side tables have the types of the tables."""
        for projection, found in zip(self._packing.projections, self.found, strict=True):
            rows = ("id", "version", *columns_of(projection), *EXPECTED_MORE)
            for name, columns in (("expected", rows), ("several", rows), ("awaited", AWAITED)):
                if records := getattr(found, name):
                    try:
                        with translated():
                            await copy_rows(connection, self._side.of(projection, name), columns, records)
                    except (BadData, OverflowError, TypeError, ValueError):  # the server's, and the driver's codecs
                        raise FatalError(f"{ALTERED} {projection.table_name}") from None
        self.found = [Expected() for _ in self.found]

    def _doubtful(self, number: int, entity_id: Any, own: Sequence[Packed]) -> None:
        found, projection = self.found[number], self._packing.projections[number]
        all_possible = self._packing.possible(own)
        nothing = [None] * self._width[number]
        if not all_possible or len({one.state is None for one in all_possible}) > 1:
            found.several.append((entity_id, 0, *nothing, 0, None, OPEN if all_possible else UNTRIED))
            return
        if len(all_possible) == 1:
            found.expected += self._states(projection, entity_id, all_possible, CERTAIN)
        else:
            found.several += self._states(projection, entity_id, all_possible, ONE_OF_SEVERAL)
        found.awaited += self._awaited(entity_id, all_possible)

    def _states(self, projection: Projection, entity_id: Any, some: Sequence[Possible], doubt: int) -> Iterator[Any]:
        columns = columns_of(projection)
        for state, base, _ in some:
            if state is not None:
                fields = state.fields
                values = [None] * len(columns) if fields is None else [fields[c] for c in columns]
                yield (entity_id, state.version, *values, base, fields is not None, doubt)

    def _awaited(self, entity_id: Any, some: Sequence[Possible]) -> Iterator[Any]:
        versions = [{event.version for event in one.waiting} for one in some]
        always = set.intersection(*versions)
        events = {id(event): event for one in some for event in one.waiting}
        for event in events.values():
            yield (entity_id, event.version, event.type, self._data(event), event.version in always)

    def _data(self, event: Event) -> str:
        """As `parked_events.data`, but with hashes in the place of long texts."""
        fields = {c: v.hex() if isinstance(v, bytes) else v for c, v in event.fields.items()}
        event_type = self._registry.event_types[event.type][1]
        return orjson.dumps(event_type.data_of(event.id, event.version, fields, event.expects), default=str).decode()
