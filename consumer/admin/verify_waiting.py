"""The part of `verify` that looks at what no table shows: states kept aside, tombstones, and partial events that wait.

An application does not see them today, but they are what it will see: a document comes back with its owner as it is
kept. So their content must be what the topics say, too. What is contested may be shown or kept aside, as it came; its
newest state is compared where it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.apply.entities import parked as parked_events
from neon_projector.consumer.apply.entities.reader import GONE
from neon_projector.models import CONTROL_SCHEMA
from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.outcome import Rejected
from neon_projector.projections.contract.projection import Fields, Projection, Registry
from neon_projector.projections.sql.parts import ABSENT, PARKED
from neon_projector.projections.state.disputed import Key
from neon_projector.projections.state.recompute import Recomputation

STATES, EVENTS = f"{CONTROL_SCHEMA}.absent_states", f"{CONTROL_SCHEMA}.parked_events"

_DISCARDED = text(f"SELECT before->>'id' FROM {CONTROL_SCHEMA}.operations WHERE command = 'parked discard'")
_PARKED = text(f"""
    SELECT entity_id, version, type, data, event_id, source, topic, partition, "offset" FROM {PARKED}
    WHERE entity = :entity""")


class Kept(NamedTuple):
    """A state kept aside: why, its version, and a hash of its columns."""

    reason: str
    version: int
    content: int | None


class Found(NamedTuple):
    """Something that is `missing`, `unexpected` or `different`: where, and the versions there are."""

    table: str
    id: UUID
    kind: str
    expected_version: int | None
    found_version: int | None


@dataclass
class Waiting:
    """What the service's own tables have, in the snapshot of the positions."""

    states: dict[Key, Kept] = field(default_factory=dict)
    events: dict[tuple[Key, int], bytes] = field(default_factory=dict)
    """The contract's data of partial events; empty where today's contract refuses it."""
    discarded: set[UUID] = field(default_factory=set)
    """What an operator gave up by `projector parked discard`."""

    @property
    def place_unknown(self) -> set[Key]:
        """What would be shown by its events alone, and is not: another has its address, or the database refused it."""
        return {key for key, kept in self.states.items() if kept.reason in ("contested", "refused")}

    @property
    def erased(self) -> set[Key]:
        return {key for key, kept in self.states.items() if kept.reason == "erased"}


async def take(connection: AsyncConnection, registry: Registry) -> Waiting:
    """Within the snapshot's transaction: all of it."""
    found = Waiting()
    for projection in registry:
        async for row in await connection.stream(text(_states(projection))):
            content = None if row[2] in GONE else hash(tuple(row[3:]))
            found.states[projection.entity, row[0]] = Kept(row[2], row[1], content)
        async for parked in (await connection.stream(_PARKED, {"entity": projection.entity})).mappings():
            try:
                data = _data(registry, parked_events.read(projection, registry.event_types, parked))
            except Rejected:
                data = b""
            found.events[(projection.entity, parked["entity_id"]), parked["version"]] = data
    found.discarded = {UUID(row[0]) for row in await connection.execute(_DISCARDED)}
    return found


def _states(projection: Projection) -> str:
    columns = ", ".join(f"s.{c}" for c in _columns(projection))
    return f"""
        SELECT a.id, a.version, a.reason, {columns}
        FROM {ABSENT} a, LATERAL jsonb_populate_record(NULL::{projection.table_name}, a.state) s
        WHERE a.entity = '{projection.entity}'"""


def compare(
    registry: Registry, found: Waiting, rows: dict[str, dict[UUID, tuple[int, int]]], computed: Recomputation
) -> Iterator[Found]:
    """What differs; `rows` are those of the tables, a version and a hash each."""
    unknown, place_unknown = found.erased | computed.disputed(), computed.contested() | found.place_unknown
    left = dict(found.states)
    for key, state in computed.states():
        entity, entity_id = key
        kept, projection = left.pop(key, None), registry[entity]
        if computed.below(key, unknown):
            continue
        content = None if state.fields is None else hash_of(state.fields, projection)
        if computed.present(key) and not computed.below(key, place_unknown):
            if kept is not None:
                yield Found(STATES, entity_id, "unexpected", None, kept.version)
            continue
        table, there = STATES, kept and (kept.version, kept.content)
        if kept is None and computed.present(key):  # whose place is unknown is in the table, or kept aside
            table, there = str(projection.table.name), rows[entity].get(entity_id)
        if there is None and entity_id not in found.discarded:
            yield Found(table, entity_id, "missing", state.version, None)
        elif there is not None and there != (state.version, content):
            yield Found(table, entity_id, "different", state.version, there[0])
    for key, kept in left.items():
        if kept.reason != "erased" and key not in unknown:
            yield Found(STATES, key[1], "unexpected", None, kept.version)
    yield from _compare_events(registry, found, computed)


def _compare_events(registry: Registry, found: Waiting, computed: Recomputation) -> Iterator[Found]:
    unknown, left = found.erased | computed.disputed(), dict(found.events)
    for event in computed.waiting():
        key = event.entity, event.id
        data = left.pop((key, event.version), None)
        if key in unknown:
            continue
        if data is None and event.id not in found.discarded:
            yield Found(EVENTS, event.id, "missing", event.version, None)
        elif data is not None and data != _data(registry, event):
            yield Found(EVENTS, event.id, "different", event.version, event.version)
    for key, version in left:
        if key not in unknown:
            yield Found(EVENTS, key[1], "unexpected", None, version)


def hash_of(fields: Fields, projection: Projection) -> int:
    """Of the columns beside `id` and `version`, as a row of the table has them."""
    return hash(tuple(fields[column] for column in _columns(projection)))


def _columns(projection: Projection) -> list[str]:
    return [c for c in projection.columns if c not in ("id", "version")]


def _data(registry: Registry, event: Event) -> bytes:
    data = registry.event_types[event.type][1].data_of(event.id, event.version, event.fields, event.expects)
    return orjson.dumps({"type": event.type, **data}, default=str, option=orjson.OPT_SORT_KEYS)
