"""Moves positions by an operator's word. A running service is fenced by it, reads its positions again and goes on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from consumer import operations
from consumer.errors import Refused
from consumer.positions import OFFSETS
from consumer.recovery import kafka_translated, translated
from consumer.settings import Settings
from consumer.source import client_options


@dataclass(frozen=True)
class Target:
    """Where to: one of `earliest`, `latest`, `offset`, `time` (milliseconds since 1970), `shift` (records)."""

    kind: str
    value: int = 0


class Move(NamedTuple):
    """One partition's position, before and after; `clamped` where Kafka does not have what was asked for."""

    partition: TopicPartition
    before: int
    after: int
    clamped: bool

    @property
    def effect(self) -> str:
        if self.after == self.before:
            return "nothing"
        verb = "read again" if self.after < self.before else "skipped"
        return f"{abs(self.after - self.before):,} {verb}"


class Bounds(NamedTuple):
    """What Kafka has of a partition: its first offset, and the last stable one."""

    earliest: int
    latest: int


_LOCK = text(f"""
    SELECT topic, partition, next_offset FROM {OFFSETS}
    WHERE group_id = :group_id ORDER BY topic, partition FOR UPDATE""")
_MOVE = text(f"""
    UPDATE {OFFSETS} o SET next_offset = v.after, epoch = o.epoch + 1, fingerprint = NULL, updated_at = now()
    FROM unnest(CAST(:topic AS text[]), CAST(:partition AS integer[]), CAST(:after AS bigint[]))
        AS v(topic, partition, after)
    WHERE o.group_id = :group_id AND o.topic = v.topic AND o.partition = v.partition""")


async def bounds_of(settings: Settings, target: Target | None = None) -> Mapping[TopicPartition, tuple[Bounds, int]]:
    """By partition of our topics, what Kafka has, and where `target` is (without one: the end)."""
    with kafka_translated():
        topics = sorted(set(settings.topics.values()))
        client = AIOKafkaConsumer(
            *topics,
            enable_auto_commit=False,
            isolation_level=settings.kafka_isolation_level,
            **client_options(settings),
        )
        await client.start()
        try:
            partitions = list(client.assignment())
            first, last = await client.beginning_offsets(partitions), await client.end_offsets(partitions)
            found = dict(last)
            if target is not None and target.kind == "time":
                times = await client.offsets_for_times(dict.fromkeys(partitions, target.value))
                found = {p: last[p] if times[p] is None else times[p].offset for p in partitions}
        finally:
            await client.stop()
    return {p: (Bounds(first[p], last[p]), found[p]) for p in partitions}


async def reset(
    engine: AsyncEngine, settings: Settings, scope: Mapping[str, set[int] | None], target: Target, *, execute: bool
) -> list[Move]:
    """Plan the moves of the partitions in `scope` (by topic; None: all), and make them if `execute`.

    Refused where a partition has no position yet. Positions are locked meanwhile, so that a running service waits.
    """
    bounds = await bounds_of(settings, target)
    with translated():
        async with engine.begin() as connection:
            rows = await connection.execute(_LOCK, {"group_id": settings.kafka_group_id})
            stored = {TopicPartition(row.topic, row.partition): row.next_offset for row in rows}
            wanted = [p for p in stored if p.topic in scope and p.partition in (scope[p.topic] or {p.partition})]
            if not wanted:
                raise Refused("no position is stored for these partitions; has the service ever run?")
            moves = [_move(p, stored[p], target, *bounds.get(p, (Bounds(0, 0), 0))) for p in wanted]
            if execute:
                await _carry_out(connection, settings.kafka_group_id, moves)
    return moves


def _move(partition: TopicPartition, before: int, target: Target, bounds: Bounds, found: int) -> Move:
    asked = {
        "earliest": bounds.earliest,
        "latest": bounds.latest,
        "offset": target.value,
        "time": found,
        "shift": before + target.value,
    }[target.kind]
    after = min(max(asked, bounds.earliest), bounds.latest)
    return Move(partition, before, after, clamped=after != asked)


async def _carry_out(connection: AsyncConnection, group_id: str, moves: list[Move]) -> None:
    values: dict[str, Any] = {
        "topic": [m.partition.topic for m in moves],
        "partition": [m.partition.partition for m in moves],
        "after": [m.after for m in moves],
    }
    await connection.execute(_MOVE, {"group_id": group_id, **values})
    names = [f"{m.partition.topic}:{m.partition.partition}" for m in moves]
    await operations.record(
        connection,
        "offsets reset",
        before=dict(zip(names, [m.before for m in moves], strict=True)),
        after=dict(zip(names, [m.after for m in moves], strict=True)),
    )
