"""What may be stale because records of a partition were never read: a list to hand to the publisher."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

from aiokafka import TopicPartition
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.admin.all_rows import require_all_rows
from neon_projector.consumer.admin.explain.left_out import RESETS, left_out
from neon_projector.consumer.admin.explain.stored import rows_of
from neon_projector.consumer.admin.kept import kept_of
from neon_projector.consumer.admin.watermarks import bounds_of
from neon_projector.consumer.decoder import decoder_of
from neon_projector.consumer.errors import Refused
from neon_projector.consumer.kafka.errors import kafka_translated
from neon_projector.consumer.kafka.partitioners import partitioner_of
from neon_projector.consumer.kafka.reread import Reread
from neon_projector.consumer.offsets.service_settings import as_the_service
from neon_projector.consumer.offsets.store import stored
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings
from neon_projector.models.control.waiting import ABSENT_STATES
from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import Registry

Row = dict[str, Any]


class _Seen:
    """What the partition's records after the window say: the newest version of each entity, and how keys are hashed."""

    def __init__(self) -> None:
        self.versions: dict[tuple[str, UUID], int] = {}
        self.keys: dict[UUID, bytes | None] = {}
        self.gaps: list[str] = []

    def add(self, event: Event) -> None:
        key = (event.entity, event.id)
        self.versions[key] = max(event.version, self.versions.get(key, 0))
        if len(self.keys) < 1000:
            self.keys[event.id] = event.record.key

    def is_fresh(self, row: Row, *, again: bool) -> bool:
        """Whether a later record of it is stored. Where the topic was created `again` since, that must be of the stored
        version: an older one may only have been published once more."""
        newest = self.versions.get((row["entity"], row["id"]))
        return newest is not None and (newest == row["version"] or (newest < row["version"] and not again))


async def stale(
    engine: AsyncEngine, registry: Registry, settings: Settings, partition: TopicPartition, seconds: float,
    progress: Callable[[int, int], None],
) -> Row:  # fmt: skip
    """`windows` (see `left_out`), and, where there are any, `may_be_stale`: `entity`, `id`, `version` and `stands` of
    each entity of the topic that may have had an event there. Left out are those whose key goes to another partition
    (`keys`: how keys are hashed; where that is unknown, or there is one of `partitions`, it is None and none is left
    out), and those of which a later record of the partition is stored: versions have no gaps, so nothing before it is
    missing (`fresh`: how many). `not_read`: why more of them may be fresh, and what else is gone.

    What was created in a window, and not changed since, nobody here knows. Refused where there is no such partition.
    """
    await require_all_rows(engine, registry)
    name = f"{partition.topic}:{partition.partition}"
    bounds = await bounds_of(settings)
    if partition not in bounds:
        raise Refused(f"Kafka does not have {name}")
    position = (await stored(engine, settings.kafka_group_id)).get(partition, {}).get("next_offset")
    kept = await kept_of(engine, settings, {partition: position or 0})
    with translated():
        async with engine.connect() as connection:
            resets = await rows_of(connection, RESETS, name=name, group_id=settings.kafka_group_id)
    gone = partition in kept.gone
    windows = left_out(name, resets, position, bounds[partition].earliest, created_again=gone)
    partitions = sum(one.topic == partition.topic for one in bounds)
    report: Row = {"partition": name, "partitions": partitions, "windows": windows}
    report |= {"keys": None, "fresh": 0, "not_read": kept.sentences(), "may_be_stale": []}
    if not windows or position is None:
        return report
    start = max((window["to"] for window in windows if not window["created_again"]), default=0)
    again, end = any(window["created_again"] for window in windows), 0 if gone else position
    seen = await _read(engine, registry, settings, partition, start, end, seconds, progress)
    hashed = partitioner_of({partition.partition: seen.keys}, partitions)
    report |= {"keys": hashed.name if hashed else None, "not_read": [*report["not_read"], *seen.gaps]}
    with translated():
        async with engine.connect() as connection:
            async for row in _entities(connection, registry, settings, partition.topic):
                if hashed is not None and hashed.partition(row["id"]) != partition.partition:
                    continue
                if seen.is_fresh(row, again=again):
                    report["fresh"] += 1
                else:
                    report["may_be_stale"].append(row)
    return report


async def _read(
    engine: AsyncEngine, registry: Registry, settings: Settings, partition: TopicPartition, start: int, end: int,
    seconds: float, progress: Callable[[int, int], None],
) -> _Seen:  # fmt: skip
    """The partition's records from `start` up to `end`, for at most so long."""
    settings = await as_the_service(engine, settings)
    decode, seen = decoder_of(settings, registry), _Seen()
    reading = Reread(settings, {partition: end}, progress, {partition: start})
    try:
        async with asyncio.timeout(seconds):
            with kafka_translated():
                async for records in reading.records():
                    for decoded in map(decode, records):
                        if isinstance(decoded, Event):
                            seen.add(decoded)
    except TimeoutError:
        seen.gaps.append(f"the partition was read for {seconds:g} s only")
    seen.gaps += reading.unreadable
    return seen


async def _entities(
    connection: AsyncConnection, registry: Registry, settings: Settings, topic: str
) -> AsyncIterator[Row]:
    """Every entity that has a state, of the projections that this topic feeds."""
    for projection in registry:
        if settings.topics[projection.topic_setting] != topic:
            continue
        select = text(f"""
            SELECT id, version, 'there' AS stands FROM {projection.table_name}
            UNION ALL SELECT id, version, reason FROM {ABSENT_STATES} WHERE entity = :entity""")
        async for row in await connection.stream(select, {"entity": projection.entity}):
            yield {"entity": projection.entity, "id": row.id, "version": row.version, "stands": row.stands}
