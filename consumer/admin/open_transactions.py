"""What publishers' open transactions hold back: nobody who reads committed records sees what comes after."""

import time
from collections.abc import Mapping
from typing import NamedTuple

from aiokafka import TopicPartition

from neon_projector.consumer.admin.lookup import Records
from neon_projector.consumer.admin.watermarks import bounds_of
from neon_projector.consumer.settings import Settings
from neon_projector.consumer.telemetry.lag import is_known
from neon_projector.projections.contract.record import Record


class HeldBack(NamedTuple):
    """How many records there are from the last stable offset on, and how old the first of them is."""

    records: int
    seconds: float | None


async def held_back(settings: Settings, stable: Mapping[TopicPartition, int]) -> dict[TopicPartition, HeldBack]:
    """Of the partitions where anything is held back, given the `stable` offsets of all; none for who reads all.

    What came after `stable` was read is not held back: a last stable offset that is asked for later than the high
    watermark, and is still below it, is that of an open transaction.
    """
    if settings.kafka_isolation_level != "read_committed":
        return {}
    everything = settings.model_copy(update={"kafka_isolation_level": "read_uncommitted"})
    ends = {partition: bounds.latest for partition, bounds in (await bounds_of(everything)).items()}
    if all(ends.get(partition, 0) <= offset for partition, offset in stable.items()):
        return {}
    later = {partition: bounds.latest for partition, bounds in (await bounds_of(settings)).items()}
    found = {}
    async with Records(everything) as records:
        for partition in stable:
            offset = later.get(partition, 0)
            if (number := ends.get(partition, 0) - offset) > 0:
                first = await records.at(partition.topic, partition.partition, offset)
                found[partition] = HeldBack(number, None if first is None else seconds_since(first))
    return found


def seconds_since(record: Record) -> float | None:
    """The record's age; None where its timestamp is no time."""
    return max(0.0, round(time.time() - record.timestamp / 1000, 3)) if is_known(record.timestamp) else None
