"""Long work sees when the live service falls behind, and that there is nobody to give way to."""

import asyncio

from neon_projector.consumer.admin.operations.live import Live
from neon_projector.consumer.admin.operations.pace import BEHIND_SECONDS
from neon_projector.consumer.environment import load_settings
from neon_projector.models.engine import create_service_engine
from tests.support.projector import running_projector
from tests.support.world import World


async def test_how_far_the_service_is_behind_is_seen_while_it_is_there(world: World) -> None:
    await world.create_topics(partitions=2)
    settings = load_settings(world.settings)
    engine = create_service_engine(settings)
    async with Live(engine, settings) as live:
        assert await live.behind() == 0.0  # it has never run
        with running_projector(world.settings) as projector:
            await world.publish_users(10)
            await world.until_consumed(10)
            assert await live.behind() == 0.0
            async with world.locked("users"):
                await world.publish_users(300)
                assert await live.behind() > BEHIND_SECONDS
            await world.until_consumed(310)
            assert await live.behind() == 0.0
            assert projector.terminate() == 0
        await world.publish_users(300)
        await world.rows("UPDATE projector.offsets SET updated_at = now() - interval '1 minute'")
        assert await live.behind() == 0.0  # nobody reads
        await world.rows("UPDATE projector.offsets SET updated_at = now()")
        assert await live.behind() > BEHIND_SECONDS
    await engine.dispose()


async def test_where_a_server_does_not_answer_there_is_nobody_to_give_way_to(world: World) -> None:
    await world.rows(
        "INSERT INTO projector.offsets (group_id, topic, partition, next_offset) VALUES ($1, $2, 0, 0)",
        world.group, world.users,
    )  # fmt: skip
    away = "127.0.0.1:1"
    for setting, value in (
        ("KAFKA_BOOTSTRAP_SERVERS", away),
        ("NEON_DATABASE_URL", f"postgresql://nobody@{away}/none"),
    ):
        settings = load_settings(world.settings | {setting: value})
        engine = create_service_engine(settings)
        async with Live(engine, settings) as live, asyncio.timeout(10):
            assert await live.behind() == 0.0
        await engine.dispose()
