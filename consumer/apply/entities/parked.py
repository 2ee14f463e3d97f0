"""Partial events that wait for the versions before them. They are stored as the contract's data, and read by it."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.apply.entities.reader import Look
from neon_projector.projections.contract.decode import read_data
from neon_projector.projections.contract.envelope import Envelope
from neon_projector.projections.contract.event import Event, Rejection
from neon_projector.projections.contract.outcome import Rejected
from neon_projector.projections.contract.projection import EventType, Projection
from neon_projector.projections.contract.record import RecordPlace
from neon_projector.projections.contract.trace_context import traceparent
from neon_projector.projections.contract.words.of_states import TYPE_GONE
from neon_projector.projections.sql.statements import Statements
from neon_projector.projections.state.fold import Folded
from neon_projector.projections.state.kept import Kept

EventTypes = Mapping[str, tuple[Projection, EventType]]


class ParkedEvents:
    """The parked events of one entity type."""

    def __init__(self, projection: Projection, types: EventTypes, sql: Statements) -> None:
        self._projection, self._types, self._sql = projection, types, sql

    async def load(
        self, connection: AsyncConnection, ids: list[UUID], look: Look
    ) -> tuple[dict[UUID, list[Event]], list[Rejection]]:
        """The parked events of `ids`, locked. Their long values stay in the database. TooLarge as `look` says.

        Events that older code parked and that today's contract rejects are deleted, and returned as rejections.
        """
        found: dict[UUID, list[Event]] = {}
        rejected: list[tuple[UUID, int, Rejection]] = []
        for row in (await connection.execute(self._sql.load_parked, look.values(ids))).mappings():
            look.check(row["stored_bytes"])
            try:
                event = read(self._projection, self._types, row)
            except Rejected as reason:
                rejected.append((row["entity_id"], row["version"], _rejection(row, reason)))
            else:
                found.setdefault(event.id, []).append(event)
        await self._delete(connection, [(entity_id, version) for entity_id, version, _ in rejected])
        return found, [rejection for _, _, rejection in rejected]

    async def delete(self, connection: AsyncConnection, events: Iterable[Event]) -> None:
        """Delete these: they wait no longer."""
        await self._delete(connection, [(event.id, event.version) for event in events])

    async def store(self, connection: AsyncConnection, folded: Iterable[Folded]) -> None:
        """Delete the events that are released, and insert those that are parked now."""
        outcomes = list(folded)
        await self.delete(connection, [e for one in outcomes for events in one.released.values() for e in events])
        if parked := [event for one in outcomes for event in one.parked]:
            await connection.execute(self._sql.park, self._columns(parked))

    async def _delete(self, connection: AsyncConnection, keys: list[tuple[UUID, int]]) -> None:
        if keys:
            await connection.execute(
                self._sql.unpark, {"entity_id": [i for i, _ in keys], "version": [v for _, v in keys]}
            )

    def _columns(self, events: list[Event]) -> dict[str, list[Any]]:
        return {
            "entity_id": [e.id for e in events],
            "version": [e.version for e in events],
            "type": [e.type for e in events],
            "data": [orjson.dumps(self._data(e), default=str).decode() for e in events],
            "event_id": [e.event_id for e in events],
            "source": [e.source for e in events],
            "topic": [e.record.topic for e in events],
            "partition": [e.record.partition for e in events],
            "offset": [e.record.offset for e in events],
            "traceparent": [traceparent(e.record) for e in events],
        }

    def _data(self, event: Event) -> dict[str, Any]:
        return self._types[event.type][1].data_of(event.id, event.version, event.fields, event.expects)


def read(projection: Projection, types: EventTypes, row: RowMapping) -> Event:
    """The event that was parked. Rejected if today's contract rejects it."""
    if row["type"] not in types:
        raise TYPE_GONE.rejected()
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


def _record(row: RowMapping) -> RecordPlace:
    return RecordPlace(row["topic"], row["partition"], row["offset"])
