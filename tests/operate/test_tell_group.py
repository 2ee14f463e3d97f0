"""A position that is set becomes known: a service that idles reads it at once, and lag tools see it in any case."""

import asyncio
import json

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from typer.testing import CliRunner

from neon_projector.consumer.cli.app import app
from neon_projector.consumer.demo.servers.broker import create_topics, embedded_broker
from neon_projector.consumer.errors import Untold
from tests.operate.commands import asked, told
from tests.support.projector import running_projector
from tests.support.world import World

RESET = ("offsets", "reset", "--execute")
POSITION = "INSERT INTO projector.offsets (group_id, topic, partition, next_offset) VALUES ($1, $2, 0, 7)"
WAITS = """
    SELECT count(*)::int FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%FOR UPDATE%'"""


@pytest.mark.parametrize("member", ["", "static"])
async def test_a_rewind_of_a_quiet_topic_is_read_again(world: World, member: str) -> None:
    await world.create_topics()
    await world.publish_users(5)
    with running_projector(world.settings | {"KAFKA_GROUP_INSTANCE_ID": member}) as projector:
        await world.until_consumed(5)
        await world.until_quiet(2)
        asked(world, *RESET, "--topic", world.users, "--to-earliest")
        await world.until("SELECT sum(superseded)::int FROM projector.offsets", 5)
        await world.until_consumed(5)
        assert projector.terminate() == 0


async def test_where_nobody_reads_the_groups_offsets_are_moved(world: World) -> None:
    await world.create_topics(partitions=2)
    await world.publish_users(40)
    with running_projector(world.settings) as projector:
        await world.until_consumed(40)
        assert projector.terminate() == 0
    ends = await hinted(world)
    assert (len(ends), sum(ends.values())) == (4, 40), "also what brings nothing is hinted, at its claim"
    await told(world, *RESET, "--topic", f"{world.users}:1", "--to-offset", "1")
    assert await hinted(world) == ends | {TopicPartition(world.users, 1): 1}
    await told(world, *RESET, "--all-topics", "--to-earliest")
    assert await hinted(world) == dict.fromkeys(ends, 0)
    await told(world, *RESET, "--all-topics", "--to-latest")
    assert await hinted(world) == ends


async def test_a_reset_that_kafka_is_not_told_of_is_made_once_and_says_so(world: World) -> None:
    with embedded_broker() as broker:
        await create_topics(broker.address, [world.users, world.documents], partitions=1)
        await world.rows(POSITION, world.group, world.users)
        words = [*RESET, "--topic", world.users, "--shift-by", "-7", "--json"]
        environment = world.settings | {"KAFKA_BOOTSTRAP_SERVERS": broker.address}
        async with world.locked("projector.offsets IN EXCLUSIVE MODE"):
            done = asyncio.create_task(asyncio.to_thread(CliRunner().invoke, app, words, env=environment))
            await world.until(WAITS, 1)
            broker.process.kill()
            broker.process.wait()
        ended = await done
    assert [move["to"] for move in json.loads(ended.stdout)] == [0]
    assert await world.value("SELECT next_offset FROM projector.offsets") == 0
    assert isinstance(ended.exception, Untold)
    assert ended.exception.exit_status == 1
    assert "do not set them again" in str(ended.exception)


async def hinted(world: World) -> dict[TopicPartition, int]:
    """The group's offsets in Kafka."""
    client = AIOKafkaAdminClient(bootstrap_servers=world.bootstrap)
    await client.start()
    try:
        offsets = await client.list_consumer_group_offsets(world.settings["KAFKA_GROUP_ID"])
        return {partition: one.offset for partition, one in offsets.items()}
    finally:
        await client.close()
