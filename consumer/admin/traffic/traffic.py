"""Who sends how much: a range of the topics, read beside the running service, which is not touched."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.replay.plan import Point
from neon_projector.consumer.admin.traffic.counting import By, Counting, Start
from neon_projector.consumer.admin.traffic.pace import Look, look, pace_of, positions_of, second_look
from neon_projector.consumer.admin.traffic.ranges import SAMPLE, Asked, Range, ranges_of, sampled
from neon_projector.consumer.admin.traffic.rows import has_stopped, most_of, rate_of, rows_of, time_of
from neon_projector.consumer.admin.watermarks import Bounds, bounds_of
from neon_projector.consumer.kafka.errors import kafka_translated
from neon_projector.consumer.kafka.reread import Reread
from neon_projector.consumer.settings import Settings

Row = dict[str, Any]

LATELY_MS = 10 * 60 * 1000
"""From so long ago on, where no start is given."""


async def traffic_of(
    engine: AsyncEngine, settings: Settings, asked: Asked, by: By, progress: Callable[[int, int], None],
    *, every: bool = False,
) -> Row:  # fmt: skip
    """`topics` (what was read of each, the source that sends `most`, and how fast records come and are applied), `rows`
    (topic, source, and what `by` says; those with most records first), `missing` (at most so many records are missing
    in a row), `ids_exact`, and `unreadable` (sentences). `progress` hears how many offsets are read, of how many.
    `every`: all records, not only the newest.

    Refused where Kafka does not have what was asked for; TransientError where a server does not answer.
    """
    now = int(time.time() * 1000)
    positions = await positions_of(engine, settings)
    since = _milliseconds(asked.start, now - LATELY_MS)
    first = await bounds_of(settings, since)
    last = await bounds_of(settings, asked.end.value) if asked.end and asked.end.kind == "time" else first
    before = look(positions, first)
    wanted = ranges_of(asked, first, last, before.positions)
    ranges = wanted if every else sampled(wanted, SAMPLE)
    until = min(now, asked.end.value) if asked.end and asked.end.kind == "time" else now
    counting = Counting(
        by, until, {} if since is None else _starts(first, since, until, None if asked.start else before)
    )
    unreadable = await _read(settings, ranges, counting, progress)
    own = [one.partition for one in ranges]
    topics = dict.fromkeys(partition.topic for partition in own)
    after = await second_look(engine, settings, before) if before.waiting(own) and asked.end is None else None
    until = counting.newest if asked.end and asked.end.kind == "offset" else until
    return {
        "topics": [topic_of(topic, ranges, counting, until, before, after, asked.scope[topic]) for topic in topics],
        "rows": rows_of(counting, until),
        "missing": counting.rows.missing,
        "ids_exact": counting.ids.exact,
        "unreadable": unreadable,
    }


def _milliseconds(point: Point | None, default: int) -> int | None:
    if point is None:
        return default
    return point.value if point.kind == "time" else None


def _starts(
    bounds: Mapping[TopicPartition, Bounds], since: int, until: int, unapplied: Look | None
) -> dict[TopicPartition, Start]:
    """By partition that has a record from `since` on; `unapplied`: what is not applied there counts in any case."""
    return {
        p: Start(since, one.at_time, one.found_time <= until, unapplied and unapplied.positions[p].offset)
        for p, one in bounds.items()
        if one.found_time is not None
    }


async def _read(
    settings: Settings, ranges: Sequence[Range], counting: Counting, progress: Callable[[int, int], None]
) -> list[str]:
    starts, ends = ({one.partition: getattr(one, name) for one in ranges} for name in ("start", "end"))
    reading = Reread(settings, ends, lambda *_: None, starts, over_gaps=True)
    read, total = 0, sum(one.end - one.start for one in ranges)
    with kafka_translated():
        async for part in reading.parts():
            counting.add(part.partition, part.records)
            read += part.span.next_offset - part.span.start
            progress(read, total)
    return reading.unreadable


def topic_of(
    topic: str, ranges: Sequence[Range], counting: Counting, until: int, before: Look, after: Look | None,
    numbers: Collection[int] | None = None,
) -> Row:  # fmt: skip
    """One of `topics` of the answer, of the partitions `numbers` only if given; `until` is the end of the range, in
    milliseconds since 1970."""
    own = [one for one in ranges if one.partition.topic == topic]
    count, most = counting.topics.of(topic), most_of(topic, counting, until)
    pace = pace_of([one.partition for one in own], before, after)
    rate = rate_of(count, until)
    if pace.come and has_stopped(count, until):  # they come now: the times that they have say nothing
        rate, most = None, most and {**most, "per_second": None, "stopped_at": None}
    return {
        "topic": topic,
        "partitions": None if numbers is None else sorted(numbers),
        "records": count.records,
        "per_second": rate,
        "since": time_of(count.since),
        "most": most,
        "offsets_asked": sum(one.end - one.begin for one in own),
        "offsets_read": sum(one.end - one.start for one in own),
        "waiting": pace.wait,
        "come_per_second": pace.come,
        "applied_per_second": pace.applied,
        "seconds_since_applied": pace.idle,
        "measured_seconds": None if after is None else after.at - before.at,
    }
