"""`rebuild` without Kafka: the events received so far, against what the tables have, healed round by round."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

from asyncpg.pgproto import pgproto
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.operations.operation import Operation
from neon_projector.consumer.admin.operations.pace import Pace
from neon_projector.consumer.admin.rebuild.heal import Healing
from neon_projector.consumer.admin.rebuild.round import Round
from neon_projector.consumer.admin.rebuild.todo import Choice, Todo
from neon_projector.consumer.admin.rebuild.undo_file import UndoFile
from neon_projector.consumer.admin.verify import comparing, snapshot
from neon_projector.consumer.admin.verify.expected import Folding
from neon_projector.consumer.admin.verify.report import Report
from neon_projector.consumer.admin.verify.spill import Spill
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.contract.record import Record
from neon_projector.projections.sql.verify import tables
from neon_projector.projections.sql.verify.tables import Scope, Side
from neon_projector.projections.state.packed import ENCODER, Packing
from tests.support.factories import a_record

MOST_ROUNDS = 6


class Received:
    """The records, by their offsets."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        self.records = [a_record(event, topic="races", offset=n) for n, event in enumerate(events)]

    def at(self, _topic: str, _partition: int, offset: int) -> Record | None:
        return self.records[offset]


async def rebuilt(
    engine: AsyncEngine, registry: Registry, received: list[dict[str, Any]], directory: Path,
    choice: Choice = Choice(), unprovable: tuple[str, ...] = (),  # noqa: B008  it is frozen
) -> tuple[int, Path]:  # fmt: skip
    """Heal until nothing is to be healed; returns how many rounds healed something, and the undo file."""
    operation = await Operation.begin(engine, "rebuild", filter={})
    originals, packing = Received(received), Packing(registry, [("races", 0)], pgproto.UUID)
    events = Decoder(registry, new_id=pgproto.UUID).all(originals.records)
    spill = Spill(directory / uuid4().hex, "token", 60_000, ENCODER)
    spill.add([packing.pack(event) for event in events if isinstance(event, Event)])
    spill.flush()
    side = Side(f"projector.operation_{operation.id}_")
    todo, undo = Todo(operation.id, registry, side), UndoFile(directory / f"undo-{operation.id}")
    async with engine.begin() as connection:
        await todo.begin(connection)
    for number in range(1, MOST_ROUNDS + 1):
        report = Report(operation.id, len(received), unprovable=list(unprovable))
        if not await _compare(engine, registry, side, todo, number, spill, packing, choice, report):
            spill.close()
            undo.close()
            return number - 1, undo.path
        one = Round(engine, _settings(), registry, todo, number, spill, packing, lambda *_: None)
        await one.heal(Healing(engine, registry, operation, todo, number, undo), originals, Pace(None, _fresh), 0)
    raise AssertionError(f"after {MOST_ROUNDS} rounds there is something to be healed still")


async def _compare(
    engine: AsyncEngine, registry: Registry, side: Side, todo: Todo, number: int, spill: Spill, packing: Packing,
    choice: Choice, report: Report,
) -> int:  # fmt: skip
    async with engine.begin() as connection:
        for statement in tables.drop(registry, side):
            await connection.exec_driver_sql(statement)
    known = asyncio.get_running_loop().create_future()
    await snapshot.take(engine, "nobody", registry, side, Scope(), known)
    folding = Folding(registry, packing, side)
    for bucket in range(spill.buckets):
        folding.fold(spill, bucket)
    async with engine.begin() as connection:
        await folding.write(connection)
        await comparing.compare(connection, registry, side, Scope(), report)
        return await todo.fill(connection, number, choice)


def _settings() -> Settings:
    return Settings.model_validate(
        {"neon_database_url": "postgresql://nobody@nowhere/none", "kafka_bootstrap_servers": "nowhere:9092"}
    )


async def _fresh() -> float:
    return 0.0
