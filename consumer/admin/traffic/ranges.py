"""Which offsets are looked at: what was asked for, as far as Kafka has it, and of very many the newest."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aiokafka import TopicPartition

from neon_projector.consumer.admin.replay.plan import Point, name_of
from neon_projector.consumer.admin.reset import Scope, but
from neon_projector.consumer.admin.traffic.pace import Position
from neon_projector.consumer.admin.watermarks import Bounds
from neon_projector.consumer.errors import Refused
from neon_projector.consumer.wording import first_of

SAMPLE = 100_000
"""Offsets of a topic that are read, unless all are asked for."""
NAMED = 5


class Range(NamedTuple):
    """Offsets of one partition from `start` up to, not including, `end`; asked for were those from `begin` on."""

    partition: TopicPartition
    begin: int
    start: int
    end: int


class Asked(NamedTuple):
    """From where to where. Without a `start`: the last ten minutes, and before them what is not applied yet."""

    scope: Scope
    start: Point | None
    end: Point | None


def ranges_of(
    asked: Asked, first: Mapping[TopicPartition, Bounds], last: Mapping[TopicPartition, Bounds],
    positions: Mapping[TopicPartition, Position],
) -> list[Range]:  # fmt: skip
    """By partition, all that was asked for: `first` are the bounds at the time of the start, `last` at that of the end.
    Refused where Kafka does not have one of the topics or partitions."""
    scope = asked.scope
    named = {TopicPartition(topic, number) for topic, numbers in scope.items() for number in numbers or ()}
    if absent := [topic for topic in scope if topic not in {p.topic for p in first}]:
        raise Refused(f"Kafka does not have the topic {', '.join(absent)}{but(scope.keys() - set(absent))}")
    if absent := sorted(map(name_of, named - first.keys())):
        raise Refused(f"Kafka does not have {first_of(absent, NAMED)}")
    return [
        _range(p, first[p], asked.start, last.get(p, first[p]), asked.end, positions[p].offset)
        for p in sorted(first) if p.topic in scope and (scope[p.topic] is None or p in named)
    ]  # fmt: skip


def sampled(ranges: Sequence[Range], most: int) -> list[Range]:
    """Of each topic at most `most` offsets, the newest: the same part of each partition, so that shares stay right."""
    asked = Counter[str]()
    for one in ranges:
        asked[one.partition.topic] += one.end - one.begin
    return [
        one if (total := asked[one.partition.topic]) <= most
        else one._replace(start=one.end - (one.end - one.begin) * most // total)
        for one in ranges
    ]  # fmt: skip


def _range(
    partition: TopicPartition, first: Bounds, start: Point | None, last: Bounds, end: Point | None, position: int
) -> Range:
    stop = first.latest if end is None else min(first.latest, _offset(last, end))
    begin = min(first.at_time, position) if start is None else _offset(first, start)
    begin = min(max(begin, first.earliest), stop)
    return Range(partition, begin, begin, stop)


def _offset(bounds: Bounds, point: Point) -> int:
    return bounds.at_time if point.kind == "time" else point.value
