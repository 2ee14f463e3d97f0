"""The topics that the service reads: are they there, and do they keep what makes the tables provable?"""

import logging
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager

import aiokafka.errors
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from neon_projector.consumer.errors import TopicMissing
from neon_projector.consumer.kafka.client import client_options
from neon_projector.consumer.kafka.errors import kafka_translated
from neon_projector.consumer.kafka.login import require_login
from neon_projector.consumer.settings import KafkaSettings, Settings

log = logging.getLogger(__name__)

KEEPS_EVERYTHING = {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}


async def require(settings: Settings) -> None:
    """TopicMissing for a topic that is not there, FatalError where Kafka refuses us, a warning for one that forgets."""
    async with _with_all(settings, wanted := sorted(set(settings.topics.values()))) as admin:
        await _warn_of_loss(admin, wanted)


async def require_some(settings: KafkaSettings, wanted: Collection[str]) -> None:
    """TopicMissing, FatalError and TransientError as in `require`, for somebody who publishes to these."""
    with kafka_translated():
        async with _with_all(settings, wanted):
            return


@asynccontextmanager
async def _with_all(settings: KafkaSettings, wanted: Iterable[str]) -> AsyncIterator[AIOKafkaAdminClient]:
    """A client, where these topics are there."""
    await require_login(settings)
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    try:
        there = set(await admin.list_topics())
        if missing := [topic for topic in wanted if topic not in there]:
            settings_of = {topic: name for name, topic in settings.topics.items()}
            raise TopicMissing(", ".join(f"{topic!r} ({settings_of[topic]})" for topic in missing))
        yield admin
    finally:
        await admin.close()


async def settings_of(settings: Settings, topics: list[str]) -> dict[str, dict[str, str]]:
    """The settings of `topics` that tell what they keep, as Kafka has them; a topic of which it says nothing is not
    there. TransientError where Kafka does not answer."""
    with kafka_translated():
        admin = AIOKafkaAdminClient(**client_options(settings))
        await admin.start()
        try:
            return await _described(admin, topics)
        finally:
            await admin.close()


async def _warn_of_loss(admin: AIOKafkaAdminClient, topics: list[str]) -> None:
    """Say where a topic does not keep everything: then the tables can't be proved or rebuilt from it for ever."""
    for topic, given in (await _described(admin, topics)).items():
        loses = {k: given[k] for k, v in KEEPS_EVERYTHING.items() if given.get(k, v) != v}
        if loses:
            log.warning("a topic does not keep all records; the tables can't be verified against it for ever",
                        extra={"topic": topic, "settings": loses})  # fmt: skip


async def _described(admin: AIOKafkaAdminClient, topics: list[str]) -> dict[str, dict[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics]
    try:
        answers = await admin.describe_configs(resources)
    except (aiokafka.errors.KafkaError, aiokafka.errors.IncompatibleBrokerVersion):
        return {}  # not every broker tells
    return {
        topic: {entry[0]: entry[1] for entry in entries if entry[0] in KEEPS_EVERYTHING}
        for answer in answers
        for code, _message, _type, topic, entries in answer.resources
        if code == 0
    }
