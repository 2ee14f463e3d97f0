"""What Kafka can't give although it has records at the offsets: a topic that was created again has others there, and
one that is compacted has not all that it had."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.left_topics import RESETS, Left, left_topics
from neon_projector.consumer.kafka.client import client_options
from neon_projector.consumer.kafka.errors import kafka_translated
from neon_projector.consumer.kafka.metadata import is_another
from neon_projector.consumer.kafka.topics import settings_of
from neon_projector.consumer.kafka.watch import metadata_of
from neon_projector.consumer.offsets.store import OFFSETS
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings

Positions = Mapping[TopicPartition, int]

_IDS = text(f"""
    SELECT topic, partition, topic_id, next_offset, group_id = :group_id AS is_own FROM {OFFSETS}
    WHERE group_id = :group_id OR group_id NOT LIKE 'operation:%'""")


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


async def kept_of(engine: AsyncEngine, settings: Settings, positions: Positions) -> Kept:
    """Of these positions, which are the group's. TransientError where Kafka does not answer. What a broker does not
    tell (ids of topics before Kafka 2.8, their settings without the right to DESCRIBE_CONFIGS) is not found."""
    with translated():
        async with engine.connect() as connection:
            own = {"group_id": settings.kafka_group_id}
            stored = (await connection.execute(_IDS, own)).all()
            resets = (await connection.execute(RESETS, own)).all()
    names = sorted({partition.topic for partition in positions})
    if not names:
        return WHOLE
    with kafka_translated():
        topics = (await metadata_of(client_options(settings), names)).topics
    policies = await settings_of(settings, [name for name in names if name in topics])
    topic_ids = {name: topic.id for name, topic in topics.items()}
    found = left_topics(resets, topic_ids)
    left = {one: found[name] for one in positions if (name := f"{one.topic}:{one.partition}") in found}
    gone = _gone(stored, topic_ids, positions)
    others = {row.topic for row in _of_another(stored, topic_ids) if not row.is_own}
    partly = dict[TopicPartition, str]()
    for one, end in positions.items():
        if one in gone:
            continue
        if one in left:
            why = f"the topic was created again before operation {left[one].operation}"
            partly[one] = f"{why}, and what it had then is gone"
        elif one.topic in others:
            partly[one] = "another group has read a topic of this name that is gone"
        elif one.topic not in topics and not end:  # else whoever reads up to the position tells
            partly[one] = "Kafka has no such topic, and what it had is gone"
        elif "compact" in policies.get(one.topic, {}).get("cleanup.policy", ""):
            partly[one] = "the topic is compacted, so Kafka deletes older records of a key"
    return Kept(gone, partly, left)


def _of_another(stored: Iterable[Any], topic_ids: Mapping[str, str | None]) -> list[Any]:
    """The positions up to which a topic was read that is not the one that is there."""
    return [row for row in stored if row.next_offset and is_another(row.topic_id, topic_ids.get(row.topic))]


def _gone(
    stored: Iterable[Any], topic_ids: Mapping[str, str | None], positions: Positions
) -> dict[TopicPartition, str]:
    own = {TopicPartition(row.topic, row.partition) for row in _of_another(stored, topic_ids) if row.is_own}
    return {
        one: f"the topic was created again, and what it had before the position {end} is gone"
        for one, end in positions.items()
        if end and one in own
    }
