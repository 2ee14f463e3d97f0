"""What Kafka can't give although it has records at the offsets: a topic that was created again has others there, and
one that is compacted has not all that it had."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.admin.operations.operation import OF_GROUP, OPERATIONS
from neon_projector.consumer.admin.reset import COMMAND as RESET
from neon_projector.consumer.kafka.client import client_options
from neon_projector.consumer.kafka.errors import kafka_translated
from neon_projector.consumer.kafka.metadata import is_another
from neon_projector.consumer.kafka.topics import settings_of
from neon_projector.consumer.kafka.watch import metadata_of
from neon_projector.consumer.offsets.store import OFFSETS
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings

Positions = Mapping[TopicPartition, int]

_IDS = text(f"SELECT topic, partition, topic_id FROM {OFFSETS} WHERE group_id = :group_id")
_LEFT = text(f"""
    SELECT r.name, max(o.id) AS operation, max(o.finished_at) AS at FROM {OPERATIONS} o,
        jsonb_array_elements_text(o.after -> 'recreated') AS r(name)
    WHERE o.command = '{RESET}' AND jsonb_typeof(o.after -> 'recreated') = 'array' AND {OF_GROUP} GROUP BY 1""")


class Left(NamedTuple):
    """The reset with which the service has left a topic for the one that was created in its place, and when."""

    operation: int
    at: datetime


class Kept(NamedTuple):
    """By partition why it can't give all that was read of it; nothing: it can."""

    gone: Mapping[TopicPartition, str] = MappingProxyType({})
    """It has nothing of it: what is there is another topic's."""
    partly: Mapping[TopicPartition, str] = MappingProxyType({})
    """What it has is of it, and there was more."""
    left: Mapping[TopicPartition, Left] = MappingProxyType({})
    """Since when the places of records there are of the topic that is there."""

    def known(self, positions: Positions) -> dict[TopicPartition, int]:
        """Those of `positions` that are in the topics that are there."""
        return {partition: end for partition, end in positions.items() if partition not in self.gone}

    def sentences(self) -> list[str]:
        """What it can't give, by partition: `users:0: …`."""
        return [f"{p.topic}:{p.partition}: {why}" for p, why in sorted([*self.gone.items(), *self.partly.items()])]

    def places(self, rows: Iterable[Mapping[str, Any]]) -> set[tuple[str, int, int]]:
        """Topic, partition and offset of what these dead letters (`created_at`) or parked events (`since`) are of, as
        far as that is still there: of a topic that was there before, another record has the place."""
        return {(row["topic"], row["partition"], row["offset"]) for row in rows if self._is_there(row)}

    def _is_there(self, row: Mapping[str, Any]) -> bool:
        partition = TopicPartition(row["topic"], row["partition"])
        if (left := self.left.get(partition)) is not None:
            came: datetime = row["created_at"] if "created_at" in row else row["since"]
            return came > left.at and partition not in self.gone
        return partition not in self.gone


WHOLE = Kept()


async def last_left(engine: AsyncEngine, group_id: str) -> int:
    """The number of the last reset with which a topic was left for the one that was created in its place; 0: none.
    Where it has risen, earlier positions are of topics that are gone."""
    with translated():
        async with engine.connect() as connection:
            return max((one.operation for one in (await _resets(connection, group_id)).values()), default=0)


async def kept_of(engine: AsyncEngine, settings: Settings, positions: Positions) -> Kept:
    """Of these positions, which are the group's. TransientError where Kafka does not answer. What a broker does not
    tell (ids of topics before Kafka 2.8, their settings without the right to DESCRIBE_CONFIGS) is not found."""
    with translated():
        async with engine.connect() as connection:
            own = {"group_id": settings.kafka_group_id}
            stored = (await connection.execute(_IDS, own)).all()
            resets = await _resets(connection, settings.kafka_group_id)
    left = {one: resets[name] for one in positions if (name := f"{one.topic}:{one.partition}") in resets}
    names = sorted({partition.topic for partition, end in positions.items() if end})
    if not names:
        return Kept(left=left)
    with kafka_translated():
        topics = (await metadata_of(client_options(settings), names)).topics
    policies = await settings_of(settings, [name for name in names if name in topics])
    ids = {TopicPartition(row.topic, row.partition): row.topic_id for row in stored}
    gone, partly = dict[TopicPartition, str](), dict[TopicPartition, str]()
    for one in (partition for partition, end in positions.items() if end and partition.topic in topics):
        if is_another(ids.get(one), topics[one.topic].id):
            gone[one] = f"the topic was created again, and what it had before the position {positions[one]} is gone"
        elif one in left:
            why = f"the topic was created again before operation {left[one].operation}"
            partly[one] = f"{why}, and what it had then is gone"
        elif "compact" in policies.get(one.topic, {}).get("cleanup.policy", ""):
            partly[one] = "the topic is compacted, so Kafka deletes older records of a key"
    return Kept(gone, partly, left)


async def _resets(connection: AsyncConnection, group_id: str) -> dict[str, Left]:
    """By `topic:partition` the last one."""
    return {r.name: Left(r.operation, r.at) for r in await connection.execute(_LEFT, {"group_id": group_id})}
