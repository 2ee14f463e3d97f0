"""Makes a new position known in Kafka: to the group's members, or to lag tools where there are none.

A service that writes is fenced by a new position at once. One that idles asks the database nothing, so it would go on
waiting at the old place. Kafka reaches it: somebody who joins the group and leaves makes every member give its
partitions up and claim them again, and a claim reads the position, and hints it to Kafka.
"""

import asyncio
from collections.abc import Mapping

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from neon_projector.consumer.admin.group import group_of
from neon_projector.consumer.errors import ProjectorError, TransientError, Untold
from neon_projector.consumer.kafka.committer import commit
from neon_projector.consumer.kafka.errors import kafka_translated
from neon_projector.consumer.kafka.force_rebalance import join_and_leave
from neon_projector.consumer.kafka.reading_client import reading_client, start
from neon_projector.consumer.settings import Settings

JOIN_SECONDS = 60.0
"""A member that is frozen is given up after its session; one that writes finishes first."""


async def tell_group(settings: Settings, positions: Mapping[TopicPartition, int]) -> int:
    """Let the group's members claim their partitions again; returns how many members there were. Where there are none,
    `positions` become the group's offsets in Kafka, so that a lag tool, or what scales by one, sees them.

    Untold where Kafka does not answer, or refuses, or the group comes to no agreement within a minute.
    """
    try:
        with kafka_translated():
            return await _tell(settings, positions)
    except TransientError as error:
        raise Untold(error.detail) from error
    except (ProjectorError, KafkaError) as error:
        raise Untold(str(error) if isinstance(error, ProjectorError) else type(error).__name__) from error


async def _tell(settings: Settings, positions: Mapping[TopicPartition, int]) -> int:
    members = len((await group_of(settings)).members)
    if not members:
        await _hint(settings, positions)
        return 0
    try:
        async with asyncio.timeout(JOIN_SECONDS):
            await join_and_leave(settings)
    except TimeoutError:
        raise TransientError("the group does not settle; restart its members", "kafka") from None
    return members


async def _hint(settings: Settings, positions: Mapping[TopicPartition, int]) -> None:
    """By a client that joins nothing: a coordinator takes that of a group without members."""
    client = reading_client(settings, group_id=settings.kafka_group_id)
    client.assign(list(positions))
    await start(client)
    try:
        await commit(client, positions)
    finally:
        await client.stop()
