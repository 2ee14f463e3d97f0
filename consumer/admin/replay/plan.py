"""Which offsets a replay reads: from what an operator asks for, what the service has applied, and what Kafka has."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from aiokafka import TopicPartition
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.reset import Scope, meant
from neon_projector.consumer.admin.watermarks import Bounds, bounds_of
from neon_projector.consumer.errors import Refused
from neon_projector.consumer.kafka.metadata import is_another
from neon_projector.consumer.offsets import store as positions
from neon_projector.consumer.offsets.claim import Claim
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings


class Point(NamedTuple):
    """An `offset`, or a `time` in milliseconds since 1970: then the first record that is not earlier."""

    kind: str
    value: int


class Range(NamedTuple):
    """Offsets of one partition to read again: from `start` up to, not including, `end`. They may be none."""

    partition: TopicPartition
    start: int
    end: int
    gone: int = 0
    """The first offset that was asked for, where Kafka no longer has it; else `start`."""

    @property
    def offsets(self) -> int:
        """How many; there may be fewer records."""
        return self.end - self.start


def name_of(partition: TopicPartition) -> str:
    """`topic:partition`."""
    return f"{partition.topic}:{partition.partition}"


def partition_of(name: str) -> TopicPartition:
    topic, _, number = name.rpartition(":")
    return TopicPartition(topic, int(number))


async def plan(
    engine: AsyncEngine, settings: Settings, scope: Scope, start: Point | None, end: Point | None
) -> list[Range]:
    """The range of each partition in `scope`: by default all that Kafka has, up to the service's position. What the
    service has not applied yet is its own, and is never replayed.

    Refused where a partition has no position, is not in Kafka, or was created again since.
    """
    first = await _bounds(settings, start)
    last = first if end is None or end == start else await _bounds(settings, end)
    stored = await positions.stored(engine, settings.kafka_group_id)
    partitions = meant(scope, {p: own["next_offset"] for p, own in stored.items()}, first)
    with translated():
        async with engine.connect() as connection:
            claims = await positions.read(connection, settings.kafka_group_id, partitions)
    ensure_same_topics(claims, first)
    return [_range(p, claims[p].next_offset, first[p], start, last[p] if end else None, end) for p in partitions]


def ensure_same_topics(claims: Mapping[TopicPartition, Claim], bounds: Mapping[TopicPartition, Bounds]) -> None:
    """Refused where a topic was deleted and created again since its positions were stored."""
    another = [p for p, one in claims.items() if p in bounds and is_another(one.topic_id, bounds[p].topic_id)]
    if another:
        raise Refused(f"{_names(another)}: the topic was created again, and the stored offsets are of the one before")


async def _bounds(settings: Settings, point: Point | None) -> dict[TopicPartition, Bounds]:
    return await bounds_of(settings, point.value if point is not None and point.kind == "time" else None)


def _range(
    partition: TopicPartition, position: int, first: Bounds, start: Point | None, last: Bounds | None, end: Point | None
) -> Range:
    begin = _offset(first, start, first.earliest)
    stop = min(position, first.latest, position if last is None else _offset(last, end, position))
    if begin >= stop:
        return Range(partition, stop, stop, stop)
    return Range(partition, min(max(begin, first.earliest), stop), stop, min(begin, stop))


def _offset(bounds: Bounds, point: Point | None, default: int) -> int:
    if point is None:
        return default
    return bounds.at_time if point.kind == "time" else point.value


def _names(partitions: Iterable[TopicPartition]) -> str:
    return ", ".join(map(name_of, sorted(partitions)))
