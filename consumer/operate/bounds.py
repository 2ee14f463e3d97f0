"""What Kafka has of the partitions of our topics."""

from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from consumer.kafka_client import client_options
from consumer.recovery import kafka_translated
from consumer.settings import Settings


class Bounds(NamedTuple):
    """The first offset that Kafka has, the last stable one, and the first at the time that was asked for."""

    earliest: int
    latest: int
    at_time: int


async def bounds_of(settings: Settings, milliseconds: int | None = None) -> dict[TopicPartition, Bounds]:
    """By partition; `at_time` for a time since 1970: the end where there is none, or no time was asked for."""
    with kafka_translated():
        client = AIOKafkaConsumer(
            *sorted(set(settings.topics.values())),
            enable_auto_commit=False,
            isolation_level=settings.kafka_isolation_level,
            **client_options(settings),
        )
        await client.start()
        try:
            partitions = list(client.assignment())
            first, last = await client.beginning_offsets(partitions), await client.end_offsets(partitions)
            found = dict(last)
            if milliseconds is not None:
                times = await client.offsets_for_times(dict.fromkeys(partitions, milliseconds))
                found = {p: last[p] if times[p] is None else times[p].offset for p in partitions}
        finally:
            await client.stop()
    return {p: Bounds(first[p], last[p], found[p]) for p in partitions}
