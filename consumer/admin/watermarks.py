"""What Kafka has of the partitions of our topics."""

from typing import NamedTuple

from aiokafka import TopicPartition

from neon_projector.consumer.kafka.client import client_options
from neon_projector.consumer.kafka.errors import kafka_translated
from neon_projector.consumer.kafka.reading_client import reading_client, start
from neon_projector.consumer.kafka.watch import metadata_of
from neon_projector.consumer.settings import Settings


class Bounds(NamedTuple):
    """The first offset that Kafka has, the last stable one, and the first at the time that was asked for."""

    earliest: int
    latest: int
    at_time: int
    topic_id: str | None = None
    """Of the topic; None where the broker tells none."""
    found_time: int | None = None
    """That of the record at `at_time`, in milliseconds since 1970; None where there is none, or no time was asked."""


async def bounds_of(settings: Settings, milliseconds: int | None = None) -> dict[TopicPartition, Bounds]:
    """By partition that exists; `at_time` for a time since 1970: the end where there is none, or no time was asked."""
    with kafka_translated():
        topics = (await metadata_of(client_options(settings), settings.topics.values())).topics
        partitions = [TopicPartition(name, number) for name, topic in topics.items() for number in topic.leaders]
        if not partitions:
            return {}
        client = reading_client(settings)
        await start(client)
        try:
            client.assign(partitions)
            first, last = await client.beginning_offsets(partitions), await client.end_offsets(partitions)
            times = {}
            if milliseconds is not None:
                asked = await client.offsets_for_times(dict.fromkeys(partitions, milliseconds))
                times = {p: one for p, one in asked.items() if one is not None}
        finally:
            await client.stop()
    whole = {p: Bounds(first[p], last[p], last[p], topics[p.topic].id) for p in partitions}
    return whole | {p: whole[p]._replace(at_time=one.offset, found_time=one.timestamp) for p, one in times.items()}
