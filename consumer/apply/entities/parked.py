"""Partial events that wait for the versions before them: stored as the contract's own data, and read back by it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.apply.entities.store import Look
from neon_projector.projections.contract.decode import read_data
from neon_projector.projections.contract.envelope import Envelope
from neon_projector.projections.contract.event import Event, Rejection
from neon_projector.projections.contract.outcome import Reason, Rejected
from neon_projector.projections.contract.projection import EventType, Projection
from neon_projector.projections.sql.statements import Statements
from neon_projector.projections.state.fold import Folded
from neon_projector.projections.state.kept import Kept

EventTypes = Mapping[str, tuple[Projection, EventType]]


@dataclass(frozen=True)
class ParkedRecord:
    """Where a parked event came from; its bytes are in Kafka only."""

    topic: str
    partition: int
    offset: int
    timestamp: int = 0
    key: bytes | None = None
    value: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


async def load(
    connection: AsyncConnection,
    projection: Projection,
    types: EventTypes,
    sql: Statements,
    ids: list[UUID],
    look: Look,
) -> tuple[dict[UUID, list[Event]], list[Rejection]]:
    """The parked events of `ids`, locked; their long values stay in the database. TooLarge where there is more of them
    than `look` allows. Those that older code parked and today's contract refuses are taken out."""
    found: dict[UUID, list[Event]] = {}
    refused: dict[tuple[UUID, int], Rejection] = {}
    for row in (await connection.execute(sql.load_parked, look.values(ids))).mappings():
        look.check(row["stored_bytes"])
        try:
            event = read(projection, types, row)
        except Rejected as rejected:
            refused[row["entity_id"], row["version"]] = _rejection(row, rejected)
        else:
            found.setdefault(event.id, []).append(event)
    if refused:
        columns = zip(*refused, strict=True)
        await connection.execute(sql.unpark, dict(zip(("entity_id", "version"), map(list, columns), strict=True)))
    return found, list(refused.values())


def read(projection: Projection, types: EventTypes, row: RowMapping) -> Event:
    """The event that was parked; Rejected where today's contract refuses it."""
    if row["type"] not in types:
        raise Rejected(Reason.INVALID_DATA, "it was parked, and its type is no more")
    envelope = Envelope(row["event_id"], row["source"], row["type"], None, None, None)
    data = row["data"] if isinstance(row["data"], dict) else orjson.loads(row["data"])
    event = read_data(projection, types[row["type"]][1], data, envelope, _record(row))
    for column in projection.carried:
        if column in event.fields and (digest := row[f"kept_{column}"]) is not None:
            event.fields[column] = Kept(digest, event.version)  # what was read was cut
    return event


def _rejection(row: RowMapping, rejected: Rejected) -> Rejection:
    names = (row["event_id"], row["source"], row["type"], row["entity_id"])
    return Rejection(_record(row), rejected.reason, rejected.error, *names)


def _record(row: RowMapping) -> ParkedRecord:
    return ParkedRecord(row["topic"], row["partition"], row["offset"])


async def store(
    connection: AsyncConnection, types: EventTypes, sql: Statements, settled: Mapping[UUID, Folded]
) -> None:
    """Take released events out, put newly parked ones in."""
    released = [event for one in settled.values() for events in one.released.values() for event in events]
    if released:
        await connection.execute(
            sql.unpark, {"entity_id": [e.id for e in released], "version": [e.version for e in released]}
        )
    if parked := [event for one in settled.values() for event in one.parked]:
        await connection.execute(sql.park, _columns(types, parked))


def _columns(types: EventTypes, events: Iterable[Event]) -> dict[str, list[Any]]:
    rows = list(events)
    return {
        "entity_id": [e.id for e in rows],
        "version": [e.version for e in rows],
        "type": [e.type for e in rows],
        "data": [orjson.dumps(_data(types, e), default=str).decode() for e in rows],
        "event_id": [e.event_id for e in rows],
        "source": [e.source for e in rows],
        "topic": [e.record.topic for e in rows],
        "partition": [e.record.partition for e in rows],
        "offset": [e.record.offset for e in rows],
    }


def _data(types: EventTypes, event: Event) -> dict[str, Any]:
    return types[event.type][1].data_of(event.id, event.version, event.fields, event.expects)
