"""A Kafka client that reads beside the group: it joins nothing, moves nothing, and begins where it is told to."""

from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from neon_projector.consumer.kafka.client import client_options
from neon_projector.consumer.settings import Settings


def reading_client(settings: Settings, **more: Any) -> AIOKafkaConsumer:
    """Not started. `more` are other options of the client."""
    return AIOKafkaConsumer(
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level=settings.kafka_isolation_level,
        **more,
        **client_options(settings),
    )


async def start(client: AIOKafkaConsumer) -> None:
    """Connect it. Where that fails, or is interrupted, it is closed: else the library complains of it at the end."""
    try:
        await client.start()
    except BaseException:
        await client.stop()
        raise


async def partitions_of(client: AIOKafkaConsumer, topics: Iterable[str]) -> set[TopicPartition]:
    """Those that Kafka has of these topics: to ask for the offsets of another would take for ever."""
    there = sorted((await client.topics()).intersection(topics))
    client.assign(first := [TopicPartition(topic, 0) for topic in there])
    if first:
        await client.beginning_offsets(first)  # brings the topics' metadata
    return {TopicPartition(t, number) for t in there for number in client.partitions_for_topic(t) or ()}


class ReadsBeside:
    """For those who may not need Kafka at all: the client connects when it is first used."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: AIOKafkaConsumer | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.stop()

    async def connected(self) -> AIOKafkaConsumer:
        """The client, started."""
        if self._client is None:
            client = reading_client(self._settings)
            await start(client)
            self._client = client
        return self._client
