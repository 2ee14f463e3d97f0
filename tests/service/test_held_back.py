"""What `status` says of open transactions, beside publishers that use none."""

import asyncio
import json
import subprocess
import sys

from tests.support.projector import environment
from tests.support.world import World

ASKED = """
import asyncio, json
from aiokafka import TopicPartition
from neon_projector.consumer.admin.open_transactions import held_back
from neon_projector.consumer.environment import load_settings

settings = load_settings()
stable = {TopicPartition(topic, 0): 0 for topic in settings.topics.values()}
print(json.dumps(len(asyncio.run(held_back(settings, stable)))))
"""
"""The partitions' ends are given as they were before anything was published."""


async def test_what_came_since_the_ends_were_read_is_not_held_back(world: World) -> None:
    await world.create_topics()
    await world.publish_users(3)
    done = await asyncio.to_thread(_ask, world)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == 0


def _ask(world: World) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", ASKED], env=environment(world.settings), capture_output=True, text=True, check=False
    )
