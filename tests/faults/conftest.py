"""Servers of their own, to be stopped and started: a fault must not touch other tests."""

from collections.abc import Iterator

import pytest

from bench.events import Mix
from bench.publish import publish
from neon_projector.consumer.demo.servers.postgres import EmbeddedPostgres
from tests.support.kafka import LocalKafka, local_kafka
from tests.support.servers import migrate_database
from tests.support.world import World


@pytest.fixture(scope="module")
def broker() -> Iterator[LocalKafka]:
    with local_kafka() as kafka:
        yield kafka


@pytest.fixture
def mix() -> Mix:
    return Mix(users=10_000, documents=20_000, updates=20_000)


@pytest.fixture
async def backlog(broker: LocalKafka, server: EmbeddedPostgres, mix: Mix) -> World:
    """A world with 50,000 events to drain."""
    world = World.of_its_own(broker.bootstrap, server.url)
    await migrate_database(world.database_url)
    await world.create_topics(partitions=4)
    await publish(world.bootstrap, world.topics, mix.events())
    return world
