"""`verify` without Kafka: the events received so far, against what the tables have."""

import asyncio
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from asyncpg.pgproto import pgproto
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.operations import left_behind
from neon_projector.consumer.admin.verify import comparing, snapshot
from neon_projector.consumer.admin.verify.expected import Folding
from neon_projector.consumer.admin.verify.report import Report
from neon_projector.consumer.admin.verify.spill import Spill
from neon_projector.consumer.admin.verify.tails import Later
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.sql.verify.tables import Scope, Side
from neon_projector.projections.state.packed import ENCODER, Packing
from tests.support.factories import a_record

OPERATION = 7
LIST = "SELECT table_name, id, kind, entity FROM projector.differences WHERE operation_id = :operation"


class Found(NamedTuple):
    """One difference."""

    table: str
    id: UUID
    kind: str
    entity: str


async def compared(
    engine: AsyncEngine,
    registry: Registry,
    received: list[dict[str, Any]],
    directory: Path,
    scope: Scope = Scope(),  # noqa: B008  it is frozen
    unprovable: tuple[str, ...] = (),
    later: list[dict[str, Any]] | None = None,
) -> tuple[set[Found], Report]:
    """What `verify` finds, by its own steps. `later`: what stands at or behind the positions."""
    side, known = Side(left_behind.table_of(OPERATION, "")), asyncio.get_running_loop().create_future()
    async with engine.begin() as connection:
        await left_behind.drop_tables(connection, [OPERATION])
    await snapshot.take(engine, "nobody", registry, side, scope, known)
    packing = Packing(registry, [("races", 0)], pgproto.UUID)
    events = decoded(registry, received)
    inside = {p.entity for p in registry if scope.has(p)}
    events = [e for e in events if e.entity in inside and (not scope.ids or e.id in scope.ids)]
    spill = Spill(directory / uuid4().hex, "token", 60_000, ENCODER)
    spill.add([packing.pack(event) for event in events])
    spill.flush()
    folding = Folding(registry, packing, side)
    for bucket in range(spill.buckets):
        folding.fold(spill, bucket)
    spill.close()
    report = Report(OPERATION, len(received), unprovable=list(unprovable))
    async with engine.begin() as connection:
        await folding.write(connection)
        await comparing.compare(connection, registry, side, scope, report)
    if later is not None:
        behind = Later(engine, registry, scope, side, OPERATION)
        await behind.add(decoded(registry, later))
        await behind.note()
        report = Report(OPERATION, len(received), unprovable=list(unprovable))
        async with engine.begin() as connection:
            await comparing.compare(connection, registry, side, scope, report, again=True)
    async with engine.connect() as connection:
        rows = (await connection.execute(text(LIST), {"operation": OPERATION})).all()
    return {Found(*row) for row in rows}, report


def decoded(registry: Registry, received: list[dict[str, Any]]) -> list[Event]:
    """Their events."""
    records = (a_record(event, topic="races", offset=n) for n, event in enumerate(received))
    return [event for event in Decoder(registry, new_id=pgproto.UUID).all(records) if isinstance(event, Event)]
