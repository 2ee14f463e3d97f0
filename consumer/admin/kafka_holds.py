"""What Kafka still holds of some entities, and until when."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.explain.search import records_of
from neon_projector.consumer.admin.lost_records import time_of
from neon_projector.consumer.admin.watermarks import bounds_of
from neon_projector.consumer.errors import TransientError
from neon_projector.consumer.kafka.topics import settings_of
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import Registry


class Held(NamedTuple):
    """Records of one topic: how many were found, when the newest was published, and when Kafka deletes it.

    `until` is None where nothing in the topic's settings says so: it is kept for ever, or that is unknown.
    """

    topic: str
    records: int
    newest: datetime | None
    until: datetime | None
    why: str


async def held(
    engine: AsyncEngine, settings: Settings, registry: Registry, ids: Collection[UUID], seconds: float
) -> tuple[list[Held], list[str]]:
    """By topic what Kafka has of `ids`, whether the service has read it or not, read for at most so long; and why there
    may be more.

    A record that is no event is not found: its dead letter says where it is.
    """
    gaps, kept, times_of = list[str](), dict[str, dict[str, str]](), defaultdict[str, list[datetime | None]](list)
    topics = sorted(set(settings.topics.values()))
    try:
        ends = {partition: bounds.latest for partition, bounds in (await bounds_of(settings)).items()}
        read = await records_of(engine, settings, registry, ends, ids, seconds)
        gaps += read.gaps
        for one in read.decoded:
            if isinstance(one, Event) and one.id in ids:
                times_of[one.record.topic].append(time_of(one.record.timestamp))
        kept = await settings_of(settings, topics)
    except TransientError as trouble:
        if trouble.reason != "kafka":
            raise
        gaps.append(f"Kafka does not answer: {trouble.detail}")
    told = []
    for topic in topics:
        times = times_of[topic]
        newest = max((at for at in times if at is not None), default=None)
        until, why = until_when(newest, kept.get(topic))
        told.append(Held(topic, len(times), newest, until, why))
    return told, gaps


def until_when(newest: datetime | None, kept: dict[str, str] | None) -> tuple[datetime | None, str]:
    """When Kafka deletes the newest record, by the topic's settings; and which these are."""
    if kept is None or "retention.ms" not in kept or "cleanup.policy" not in kept:
        return None, "the topic's settings are unknown"
    policy, retention = kept["cleanup.policy"], int(kept["retention.ms"])
    why = f"cleanup.policy={policy}, retention.ms={retention}"
    if "delete" not in policy or retention < 0:
        return None, why
    return None if newest is None else newest + timedelta(milliseconds=retention), why
