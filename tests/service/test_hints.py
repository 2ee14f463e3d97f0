"""The group's offsets in Kafka, which lag tools read: what Kafka does not take, it is told again."""

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition

from neon_projector.consumer.environment import load_settings
from neon_projector.consumer.kafka.assignment import Reading
from neon_projector.consumer.kafka.client import client_options
from neon_projector.consumer.kafka.committer import Committer
from neon_projector.consumer.kafka.consumer import GroupConsumer
from neon_projector.consumer.kafka.topic_watch import TopicWatch
from neon_projector.consumer.kafka.watch import Watch
from neon_projector.consumer.telemetry.kafka_gauges import KafkaGauges
from neon_projector.consumer.telemetry.metrics import Metrics
from neon_projector.consumer.telemetry.state import ServiceState
from tests.support.world import World

SECONDS = 90


async def nothing_more(_: set[TopicPartition]) -> None:
    """What is to be done when partitions are revoked: they are not."""


async def test_what_kafka_does_not_take_is_stale_until_it_is_told_again(world: World) -> None:
    await world.create_topics(partitions=3)
    ours, refused, given_up = (TopicPartition(world.users, number) for number in range(3))
    settings = load_settings(world.settings)
    watch = Watch(client_options(settings), settings.topics.values())
    consumer = GroupConsumer(settings, watch, lambda _: None, nothing_more)
    committer, reading = Committer(consumer), consumer.partitions.reading
    metrics, topics = Metrics(), TopicWatch(consumer, settings.topics.values())
    gauges = KafkaGauges(watch, topics, committer, metrics, ServiceState(settings.kafka_group_id))

    def shown() -> float | None:
        gauges.look()
        return metrics.registry.get_sample_value("projector_hints_stale_seconds")

    client = AIOKafkaConsumer(
        bootstrap_servers=world.bootstrap, group_id="hints-" + world.users, enable_auto_commit=False
    )
    await client.start()
    try:
        consumer._client = client
        client.assign([ours])  # Kafka's client commits only what is assigned: so the other two are refused
        reading.update({partition: Reading(1, 0, None) for partition in (ours, refused, given_up)})
        committer.note({ours: 5, refused: 6, given_up: 7})
        assert committer.stale_seconds == 0
        await committer.commit()
        first = committer.stale_seconds
        assert first > 0
        assert (shown() or 0) > first
        committer.note({ours: 9})
        await committer.commit()
        assert committer.stale_seconds > first
        del reading[given_up]
        client.assign([ours, refused])
        async with asyncio.timeout(SECONDS):
            while committer.stale_seconds:  # a new broker may have no coordinator yet
                await committer.commit()
        assert (committer.stale_seconds, shown()) == (0, 0)
        assert [await client.committed(partition) for partition in (ours, refused, given_up)] == [9, 6, None]
        committer.note({given_up: 8})
        await committer.commit()
        assert committer.stale_seconds == 0
    finally:
        await client.stop()
