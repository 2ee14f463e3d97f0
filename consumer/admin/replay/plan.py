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

NOTHING = Bounds(0, 0, 0)
"""What Kafka has of a partition that is gone."""


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

    Of several topics one that Kafka does not have any more, or that was created again since, has lost all of its range.
    Refused where there is no other, where such a partition is named by its number, or where one has no position.
    """
    first = await _bounds(settings, start)
    last = first if end is None or end == start else await _bounds(settings, end)
    with translated():
        async with engine.connect() as connection:
            stored = await positions.stored(engine, settings.kafka_group_id)
            claims = await positions.read(connection, settings.kafka_group_id, stored)
    gone = _gone(scope, claims, first)
    partitions = meant(scope, claims, first | dict.fromkeys(gone, NOTHING))
    ensure_same_topics({p: claims[p] for p in partitions if p not in gone}, first)
    return [
        _lost(p, claims[p].next_offset, start, end) if p in gone
        else _range(p, claims[p].next_offset, first[p], start, last[p] if end else None, end)
        for p in partitions
    ]  # fmt: skip


def _gone(
    scope: Scope, claims: Mapping[TopicPartition, Claim], bounds: Mapping[TopicPartition, Bounds]
) -> set[TopicPartition]:
    """The partitions of whole topics in `scope` of which Kafka has no record any more; none where all are like that."""
    whole = {p for p in claims if p.topic in scope and scope[p.topic] is None}
    gone = {p for p in whole if p not in bounds or is_another(claims[p].topic_id, bounds[p].topic_id)}
    return gone if len(gone) < len(whole) else set()


def ensure_same_topics(claims: Mapping[TopicPartition, Claim], bounds: Mapping[TopicPartition, Bounds]) -> None:
    """Refused where a topic was deleted and created again since its positions were stored."""
    another = [p for p, one in claims.items() if p in bounds and is_another(one.topic_id, bounds[p].topic_id)]
    if another:
        topics = sorted({partition.topic for partition in another})
        scope = " ".join(f"--topic {topic}" for topic in topics)
        raise Refused(
            f"the topic {', '.join(topics)} was created again, and the stored offsets are of the one before. For the "
            f"service to read the new one: projector offsets reset {scope} --to-earliest"
        )


def ensure_there(ranges: Iterable[TopicPartition], bounds: Mapping[TopicPartition, Bounds]) -> None:
    """Refused where Kafka does not have one of these any more: what it held is not to be counted as lost, as long as
    somebody may put it back."""
    if absent := sorted({p.topic for p in ranges if p not in bounds}):
        raise Refused(
            f"Kafka does not have {', '.join(absent)} any more, or not all of its partitions. Bring the topic back and "
            "resume, or give this up and replay the other topics by --topic"
        )


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


def _lost(partition: TopicPartition, position: int, start: Point | None, end: Point | None) -> Range:
    """Nothing to read: all that was asked for is gone. What a time would mean is unknown, so it counts as none."""
    begin = start.value if start is not None and start.kind == "offset" else 0
    stop = min(position, end.value if end is not None and end.kind == "offset" else position)
    return Range(partition, stop, stop, min(begin, stop))


def _offset(bounds: Bounds, point: Point | None, default: int) -> int:
    if point is None:
        return default
    return bounds.at_time if point.kind == "time" else point.value
