"""Makes every member of the group claim its partitions again: somebody joins the group, and leaves."""

import asyncio
import logging

import aiokafka.errors
from aiokafka import AIOKafkaConsumer

from neon_projector.consumer.errors import ProjectorError
from neon_projector.consumer.kafka.client import HEARTBEAT_INTERVAL_MS, SESSION_TIMEOUT_MS, client_options
from neon_projector.consumer.kafka.errors import kafka_translated
from neon_projector.consumer.settings import Settings

log = logging.getLogger(__name__)


class Others:
    """The group's other instances. One that has no event just now does not notice that the database was put back."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._telling: asyncio.Task[None] | None = None

    def tell(self, consumer: AIOKafkaConsumer) -> None:
        """Let all claim and so read their positions again, if there are partitions that are not ours."""
        topics = set(self._settings.topics.values())
        number = sum(len(consumer.partitions_for_topic(topic) or ()) for topic in topics)
        if len(consumer.assignment()) < number and (self._telling is None or self._telling.done()):
            self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        try:
            await join_and_leave(self._settings)
        except (ProjectorError, aiokafka.errors.KafkaError) as error:
            log.warning(
                "the group could not be made to rebalance; restart the other instances",
                extra={"error": type(error).__name__},
            )


async def join_and_leave(settings: Settings) -> None:
    """Returns when the group has settled with the new member, which may take as long as a member takes to answer, and
    without it again."""
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
