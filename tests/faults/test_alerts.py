"""A real Prometheus beside a running service: what fails raises the alert that names it, and no other."""

from pathlib import Path

from neon_projector.consumer.demo.servers.postgres import EmbeddedPostgres
from tests.support.projector import command, eventually, running_projector
from tests.support.prometheus import prometheus
from tests.support.servers import migrate_database
from tests.support.world import World

RECORDED_LAG = "job_topic_partition:projector_consumer_lag:max"
SECONDS = 90


async def test_a_stopped_database_and_a_pause_each_raise_their_own_alert_and_no_other(
    kafka: str, server: EmbeddedPostgres, tmp_path: Path
) -> None:
    world = World.of_its_own(kafka, server.url)
    await migrate_database(world.database_url)
    await world.create_topics()
    await world.publish_users(5)
    with running_projector(world.settings) as projector, prometheus(tmp_path, projector.port) as watching:
        await world.until_consumed(5, SECONDS)
        eventually("rules record no lag", lambda: watching.values(RECORDED_LAG) == [0, 0], SECONDS)
        eventually("nothing is wrong", lambda: watching.alerts() == set(), SECONDS)
        server.stop("immediate")
        await world.publish_users(1)
        only = {("DatabaseDown", "ticket", "pending")}
        eventually("the alert names the database", lambda: watching.alerts() == only, SECONDS)
        server.start()
        await world.until_consumed(6, SECONDS)
        eventually("it is over", lambda: watching.alerts() == set(), SECONDS)
        assert command("pause", settings=world.settings).returncode == 0
        await world.publish_users(1)
        paused = {("IntakeStopped", "none", "firing"), ("IntakeStopped", "ticket", "pending")}
        eventually("the alert names the pause", lambda: watching.alerts() == paused, SECONDS)
