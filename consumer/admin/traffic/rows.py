"""What was counted, as `projector traffic` tells it."""

from datetime import UTC, datetime
from typing import Any

from neon_projector.consumer.admin.traffic.counting import By, Counting, Name
from neon_projector.consumer.admin.traffic.counts import Count

Row = dict[str, Any]

HOT = 10
"""An entity with fewer records makes no load."""
ENDED_MS = 10_000
"""Whose last record came so long ago has stopped, for now."""
LEAST_SECONDS = 1.0
"""A rate is told over so long at least."""


def rows_of(counting: Counting, until: int) -> list[Row]:
    """Those with most records first; `until` is the end of the range in milliseconds since 1970."""
    ids = counting.ids.numbers()
    return [
        {
            **_name(count.name, counting.by),
            "records": count.records,
            "share": count.records / counting.topics.of(count.name.topic).records,
            "per_second": rate_of(count, until),
            "ids": ids.get(count.name, 0),
            "no_event": count.no_event,
            "since": time_of(count.since),
            "newest": time_of(count.newest),
        }
        for count in counting.rows.ranked()
    ]


def _name(name: Name, by: By) -> Row:
    detail = {By.SOURCE: {}, By.TYPE: {"type": name.detail}, By.ENTITY: {"entity_id": name.detail}}[by]
    return {"topic": name.topic, "source": name.source, **detail}


def most_of(topic: str, counting: Counting, until: int) -> Row | None:
    """The source that sends most to the topic, and the one entity that half of its records are of, if there is one."""
    own = next((one for one in counting.sources.ranked() if one.name.topic == topic), None)
    if own is None:
        return None
    of_one = (one for one in counting.entities.ranked() if one.name[:2] == own.name[:2] and one.name.detail is not None)
    entity = next(of_one, None)
    hot = entity if entity is not None and entity.records >= max(HOT, own.records / 2) else None
    return {
        "source": own.name.source,
        "records": own.records,
        "share": own.records / counting.topics.of(topic).records,
        "per_second": rate_of(own, until),
        "stopped_at": time_of(own.until) if has_stopped(own, until) else None,
        "entity_id": hot and hot.name.detail,
        "entity_share": hot and hot.records / own.records,
    }


def rate_of(count: Count[Any], until: int) -> float | None:
    """Records in a second, since the first one came up to now, or to the last one where it has stopped; None where that
    can't be told."""
    if not count.since or count.records == 1:
        return None
    end = count.until if has_stopped(count, until) else until
    return count.records / max(LEAST_SECONDS, (end - count.since) / 1000)


def has_stopped(count: Count[Any], until: int) -> bool:
    """Whether the last record came so long ago that no more are to be expected."""
    return 0 < count.until < until - ENDED_MS


def time_of(milliseconds: int) -> datetime | None:
    """Of milliseconds since 1970; None for 0, which stands for an unknown time."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
