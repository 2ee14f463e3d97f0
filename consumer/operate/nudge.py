"""Makes a running service read its positions again, also where nothing comes in.

A service that writes is fenced by a new position at once. One that idles asks the database nothing, so it would go on
waiting at the old place. Kafka reaches it: somebody who joins the group and leaves makes every member give its
partitions up and claim them anew, and a claim reads the position.
"""

import asyncio

from aiokafka import AIOKafkaConsumer

from consumer.errors import Trouble
from consumer.kafka_client import client_options
from consumer.operate.group import group_of
from consumer.recovery import kafka_translated
from consumer.settings import Settings
from consumer.source import HEARTBEAT_INTERVAL_MS, SESSION_TIMEOUT_MS

JOIN_SECONDS = 60.0
"""A member that is frozen is given up after its session; one that writes finishes first."""


async def nudge(settings: Settings) -> int:
    """Let the group's members claim their partitions anew; returns how many members there were: 0, nothing is done.

    Trouble where the group does not come to an agreement within a minute: the positions are set nevertheless.
    """
    members = len((await group_of(settings)).members)
    if members:
        try:
            async with asyncio.timeout(JOIN_SECONDS):
                await _join_and_leave(settings)
        except TimeoutError:
            raise Trouble("the group does not settle; restart its members", "kafka") from None
    return members


async def _join_and_leave(settings: Settings) -> None:
    with kafka_translated():
        client = AIOKafkaConsumer(
            *sorted(set(settings.topics.values())),
            group_id=settings.kafka_group_id,
            enable_auto_commit=False,
            auto_offset_reset="none",
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=HEARTBEAT_INTERVAL_MS,
            **client_options(settings),
        )
        try:
            await client.start()
        finally:
            await client.stop()
