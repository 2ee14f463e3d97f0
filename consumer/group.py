"""The consumer group as the broker knows it."""

from typing import NamedTuple

from aiokafka.admin import AIOKafkaAdminClient

from consumer.recovery import kafka_translated
from consumer.settings import Settings
from consumer.source import client_options


class Group(NamedTuple):
    """Kafka's word for the group's state (`Stable`, `Empty`, `Dead`, …), and the hosts of its members."""

    state: str
    members: list[str]


async def describe(settings: Settings) -> Group:
    """Ask the broker; a group that it has never seen is `Dead`, without members."""
    with kafka_translated():
        admin = AIOKafkaAdminClient(**client_options(settings))
        await admin.start()
        try:
            answers = await admin.describe_consumer_groups([settings.kafka_group_id])
        finally:
            await admin.close()
    _error, _group, state, _type, _protocol, members, *_ = answers[0].groups[0]
    return Group(state, sorted(f"{member[1]}{member[2]}" for member in members))
