"""How fast records come and are applied: two looks at the ends of the partitions and at the service's positions."""

import asyncio
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from aiokafka import TopicPartition
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.watermarks import Bounds, bounds_of
from neon_projector.consumer.kafka.metadata import is_another
from neon_projector.consumer.offsets.store import OFFSETS
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings

SECONDS = 3.0
"""At least so long lie between the looks: the service commits several times in that."""


_POSITIONS = text(f"""
    SELECT topic, partition, next_offset, topic_id, extract(epoch FROM now() - updated_at)::float8 AS idle
    FROM {OFFSETS} WHERE group_id = :group_id""")


class Position(NamedTuple):
    """The next offset to apply, the seconds since it moved (None: it is not stored), and the id of the topic that it is
    of (None: unknown)."""

    offset: int
    idle: float | None = None
    topic_id: str | None = None


class Look(NamedTuple):
    """`at` is in seconds of the loop's clock; `ends` are offsets; `positions` are of all partitions: where none is
    stored, or the topic was created again since, the first offset that Kafka has, which `begins` has of all."""

    at: float
    ends: Mapping[TopicPartition, int]
    positions: Mapping[TopicPartition, Position]
    begins: Mapping[TopicPartition, int] = MappingProxyType({})

    def waiting(self, partitions: Iterable[TopicPartition]) -> int:
        """How many offsets of these are not applied, of those that Kafka has."""
        own = [p for p in partitions if p in self.ends]
        return sum(max(0, self.ends[p] - max(self.positions[p].offset, self.begins.get(p, 0))) for p in own)


class Pace(NamedTuple):
    """Records that come and are applied in a second, None where nothing was measured; how many `wait`; and for how many
    seconds none was applied, None where none ever was."""

    come: float | None
    applied: float | None
    wait: int
    idle: float | None


async def positions_of(engine: AsyncEngine, settings: Settings) -> dict[TopicPartition, Position]:
    """The service's positions."""
    with translated():
        async with engine.connect() as connection:
            rows = (await connection.execute(_POSITIONS, {"group_id": settings.kafka_group_id})).all()
    return {TopicPartition(row.topic, row.partition): Position(row.next_offset, row.idle, row.topic_id) for row in rows}


def look(positions: Mapping[TopicPartition, Position], bounds: Mapping[TopicPartition, Bounds]) -> Look:
    """What was just asked for."""
    ends = {p: one.latest for p, one in bounds.items()}
    known = {p: _position(positions.get(p), one) for p, one in bounds.items()}
    begins = {p: one.earliest for p, one in bounds.items()}
    return Look(asyncio.get_running_loop().time(), ends, known, begins)


def _position(stored: Position | None, bounds: Bounds) -> Position:
    if stored is None or is_another(stored.topic_id, bounds.topic_id):
        return Position(bounds.earliest)
    return stored


async def second_look(engine: AsyncEngine, settings: Settings, first: Look) -> Look:
    """Not before some seconds have passed since the first one, so that there is something to measure."""
    await asyncio.sleep(max(0.0, first.at + SECONDS - asyncio.get_running_loop().time()))
    return look(await positions_of(engine, settings), await bounds_of(settings))


def pace_of(partitions: Iterable[TopicPartition], first: Look, second: Look | None) -> Pace:
    """Of these together. Positions that were set back meanwhile count as none applied."""
    own = list(partitions)
    last = first if second is None else second
    moved = [last.positions[p].idle for p in own if p in last.positions]
    idle = min((seconds for seconds in moved if seconds is not None), default=None)
    if second is None:
        return Pace(None, None, first.waiting(own), idle)
    both = [p for p in own if p in first.ends and p in second.ends]
    come = sum(max(0, second.ends[p] - first.ends[p]) for p in both)
    applied = sum(max(0, second.positions[p].offset - first.positions[p].offset) for p in both)
    passed = second.at - first.at
    return Pace(come / passed, applied / passed, second.waiting(own), idle)
