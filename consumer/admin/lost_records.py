"""What Kafka deleted before this service read it: which offsets, and around which time."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from aiokafka import TopicPartition

from neon_projector.consumer.admin.lookup import Records
from neon_projector.consumer.admin.watermarks import Bounds
from neon_projector.consumer.settings import Settings
from neon_projector.consumer.telemetry.lag import is_known


class Lost(NamedTuple):
    """The offsets of one partition from `start` up to `end`, which is not one of them.

    Their records were published before `first_left_at`, the timestamp of the first record that Kafka still has (None:
    it has none, or that record has no time). The position had last moved at `position_moved_at`.
    """

    start: int
    end: int
    position_moved_at: datetime | None
    first_left_at: datetime | None

    def to_json(self) -> dict[str, Any]:
        """As `projector.operations` keeps it, and `--json` prints it."""
        return {
            "from": self.start,
            "to": self.end,
            "position_moved_at": _text(self.position_moved_at),
            "first_left_at": _text(self.first_left_at),
        }


def lost(position: int, moved_at: datetime | None, bounds: Bounds, first_left_at: datetime | None) -> Lost | None:
    """What Kafka no longer has from `position` on; None where it has all of it."""
    return Lost(position, bounds.earliest, moved_at, first_left_at) if position < bounds.earliest else None


async def first_left(
    settings: Settings, positions: Mapping[TopicPartition, int], bounds: Mapping[TopicPartition, Bounds]
) -> dict[TopicPartition, datetime | None]:
    """Of the partitions that have lost records: the time of the first record that Kafka still has."""
    found: dict[TopicPartition, datetime | None] = {}
    async with Records(settings) as records:
        for partition, position in positions.items():
            if partition in bounds and position < (earliest := bounds[partition].earliest):
                record = await records.first_from(partition.topic, partition.partition, earliest)
                found[partition] = None if record is None else time_of(record.timestamp)
    return found


def time_of(timestamp_ms: int) -> datetime | None:
    """A record's timestamp; None where it is no time."""
    return datetime.fromtimestamp(timestamp_ms / 1000, UTC) if is_known(timestamp_ms) else None


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat()
