"""How each partition stands: position and totals, what Kafka has, who reads it, and how far behind it is."""

from collections.abc import Mapping
from typing import Any

from aiokafka import TopicPartition
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.group import Group
from neon_projector.consumer.admin.lookup import Records
from neon_projector.consumer.admin.open_transactions import HeldBack, held_back, seconds_since
from neon_projector.consumer.admin.watermarks import Bounds, bounds_of
from neon_projector.consumer.kafka.metadata import is_another
from neon_projector.consumer.kafka.record_batches import Unreadable
from neon_projector.consumer.offsets.fingerprint import fingerprint, offset_of
from neon_projector.consumer.offsets.store import OFFSETS, stored
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings

Row = dict[str, Any]

_KEPT = text(
    f"SELECT topic, partition, next_offset, fingerprint, topic_id, updated_at FROM {OFFSETS} WHERE group_id = :group_id"
)


async def positions_of(engine: AsyncEngine, settings: Settings) -> list[Row]:
    """Each stored position with its totals, what Kafka has, the lag, and whether it is `lost` to Kafka."""
    kept = await stored(engine, settings.kafka_group_id)
    bounds = await bounds_of(settings)
    return [_row(partition, values, bounds.get(partition)) for partition, values in kept.items()]


async def partitions_of(engine: AsyncEngine, settings: Settings, group: Group) -> list[Row]:
    """Those, and the partitions without a position, each with

    `member` (who reads it, None: nobody), `lag_seconds` (age of the oldest record that is not applied, 0: there is
    none, None: Kafka does not have it, or it has no time), `updated_at`, `stopped` (why it can't be read), and
    `open_transaction_records` (that wait behind an open transaction) with `open_transaction_seconds` (since it began).
    """
    kept = await stored(engine, settings.kafka_group_id)
    bounds = await bounds_of(settings)
    with translated():
        async with engine.connect() as connection:
            found = (await connection.execute(_KEPT, {"group_id": settings.kafka_group_id})).all()
    marks = {TopicPartition(row.topic, row.partition): row for row in found}
    members = {name: member.name for member in group.members for name in member.partitions}
    rows = []
    async with Records(settings) as records:
        for partition in sorted(kept.keys() | bounds.keys()):
            row = _row(partition, kept.get(partition, {"next_offset": None}), bounds.get(partition))
            mark = marks.get(partition)
            row["member"] = members.get(f"{partition.topic}:{partition.partition}")
            row["updated_at"] = mark.updated_at if mark else None
            recreated = mark is not None and await _is_recreated(records, partition, mark, bounds.get(partition))
            row["stopped"] = "topic_changed" if recreated else "position_not_in_topic" if row["lost"] else None
            try:
                row["lag_seconds"] = None if row["stopped"] else await _age(records, partition, row)
            except Unreadable:
                row["lag_seconds"], row["stopped"] = None, "unreadable"
            rows.append(row)
    held = await held_back(settings, {partition: bounds[partition].latest for partition in bounds})
    nothing = HeldBack(0, None)
    for row in rows:
        one = held.get(TopicPartition(row["topic"], row["partition"]), nothing)
        row["open_transaction_records"], row["open_transaction_seconds"] = one
    return rows


def _row(partition: TopicPartition, kept: Mapping[str, int | None], bounds: Bounds | None) -> Row:
    row: Row = {"topic": partition.topic, "partition": partition.partition, **kept}
    position = row["next_offset"]
    if bounds is None:
        return {**row, "earliest": None, "latest": None, "lag": None, "lost": True}
    lost = position is not None and not bounds.earliest <= position <= bounds.latest
    lag = max(0, bounds.latest - (bounds.earliest if position is None else position))
    return {**row, "earliest": bounds.earliest, "latest": bounds.latest, "lag": lag, "lost": lost}


async def _is_recreated(records: Records, partition: TopicPartition, mark: Any, bounds: Bounds | None) -> bool:
    """Whether this is another topic than the position's: by its id, or by the record where the last applied one was."""
    if bounds is None:
        return False
    if mark.next_offset and is_another(mark.topic_id, bounds.topic_id):
        return True
    if mark.fingerprint is None:
        return False
    found = await records.at(partition.topic, partition.partition, offset_of(mark.fingerprint))
    return found is not None and fingerprint(found) != mark.fingerprint


async def _age(records: Records, partition: TopicPartition, row: Row) -> float | None:
    if not row["lag"]:
        return 0.0
    position = row["earliest"] if row["next_offset"] is None else row["next_offset"]
    found = await records.first_from(partition.topic, partition.partition, position)
    return 0.0 if found is None else seconds_since(found)
