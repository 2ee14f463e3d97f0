"""A position reset under a service that idles is read at once, not with the next record."""

import pytest

from neon_projector.consumer.admin.force_rebalance import force_rebalance
from neon_projector.consumer.environment import load_settings
from tests.operate.commands import asked
from tests.support.projector import running_projector
from tests.support.world import World


@pytest.mark.parametrize("member", ["", "static"])
async def test_a_rewind_of_a_quiet_topic_is_read_again(world: World, member: str) -> None:
    await world.create_topics()
    await world.publish_users(5)
    with running_projector(world.settings | {"KAFKA_GROUP_INSTANCE_ID": member}) as projector:
        await world.until_consumed(5)
        await world.until_quiet(2)
        asked(world, "offsets", "reset", "--topic", world.users, "--to-earliest", "--execute")
        await world.until("SELECT sum(superseded)::int FROM projector.offsets", 5)
        await world.until_consumed(5)
        assert projector.terminate() == 0


async def test_where_nobody_is_at_work_there_is_nothing_to_do(world: World) -> None:
    await world.create_topics()
    assert await force_rebalance(load_settings(world.settings)) == 0
