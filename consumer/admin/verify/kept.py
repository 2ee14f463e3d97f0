"""What Kafka can't give although it has records at the offsets: a topic that was created again has others there, and
one that is compacted has not all that it had."""

from collections.abc import Mapping
from typing import NamedTuple

from aiokafka import TopicPartition
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.operations.operation import OPERATIONS
from neon_projector.consumer.admin.reset import COMMAND as RESET
from neon_projector.consumer.admin.verify.snapshot import Positions
from neon_projector.consumer.kafka.client import client_options
from neon_projector.consumer.kafka.errors import kafka_translated
from neon_projector.consumer.kafka.metadata import is_another
from neon_projector.consumer.kafka.topics import settings_of
from neon_projector.consumer.kafka.watch import metadata_of
from neon_projector.consumer.offsets.store import OFFSETS
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings

_IDS = text(f"SELECT topic, partition, topic_id FROM {OFFSETS} WHERE group_id = :group_id")
_LEFT = text(f"""
    SELECT r.name, max(o.id) AS operation FROM {OPERATIONS} o,
        jsonb_array_elements_text(o.after -> 'recreated') AS r(name)
    WHERE o.command = '{RESET}' AND jsonb_typeof(o.after -> 'recreated') = 'array' GROUP BY 1""")


class Kept(NamedTuple):
    """By partition why it can't give all that was read of it."""

    gone: Mapping[TopicPartition, str]
    """It has nothing of it: what is there is another topic's."""
    partly: Mapping[TopicPartition, str]
    """What it has is of it, and there was more."""


async def kept_of(engine: AsyncEngine, settings: Settings, positions: Positions) -> Kept:
    """Of these positions. TransientError where Kafka does not answer. What a broker does not tell (ids of topics before
    Kafka 2.8, their settings without the right to DESCRIBE_CONFIGS) is not found."""
    with translated():
        async with engine.connect() as connection:
            stored = (await connection.execute(_IDS, {"group_id": settings.kafka_group_id})).all()
            left = {row.name: row.operation for row in await connection.execute(_LEFT)}
    names = sorted({partition.topic for partition, end in positions.items() if end})
    if not names:
        return Kept({}, {})
    with kafka_translated():
        topics = (await metadata_of(client_options(settings), names)).topics
    policies = await settings_of(settings, [name for name in names if name in topics])
    ids = {TopicPartition(row.topic, row.partition): row.topic_id for row in stored}
    gone, partly = dict[TopicPartition, str](), dict[TopicPartition, str]()
    for one in (partition for partition, end in positions.items() if end and partition.topic in topics):
        operation = left.get(f"{one.topic}:{one.partition}")
        if is_another(ids.get(one), topics[one.topic].id):
            gone[one] = f"the topic was created again, and what it had before the position {positions[one]} is gone"
        elif operation is not None:
            partly[one] = f"the topic was created again before operation {operation}, and what it had then is gone"
        elif "compact" in policies.get(one.topic, {}).get("cleanup.policy", ""):
            partly[one] = "the topic is compacted, so Kafka deletes older records of a key"
    return Kept(gone, partly)
