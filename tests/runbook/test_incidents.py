"""A real Prometheus and a real Alertmanager see incidents; what the runbook says, word by word, ends them.

In the rules only `for` and `keep_firing_for` are shorter. All share the servers: each incident costs seconds then.
"""

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

from neon_projector.consumer.demo.servers.ports import free_port
from neon_projector.consumer.demo.servers.postgres import EmbeddedPostgres
from tests.support.alertmanager import Alertmanager, alertmanager
from tests.support.factories import ARecord, a_record, a_user_event
from tests.support.panels import QUERIES, as_asked
from tests.support.projector import Projector, eventually, running_projector
from tests.support.prometheus import Prometheus, at_once, prometheus
from tests.support.runbook import Operator
from tests.support.servers import execute, migrate_database
from tests.support.topics import delete_records
from tests.support.world import World

SECONDS = 90
RUNBOOK, OPERATIONS = "runbook.md", "operations.md"
ON_CALL, TICKETS = "on-call", "tickets"
WINDOW = 10
Alert = tuple[str, str, str]
"""Its name, its severity, and whether it is pending or firing."""


@dataclass
class Scene:
    """Two instances of the service, and who watches them."""

    world: World
    watching: Prometheus
    manager: Alertmanager
    operator: Operator
    instances: dict[str, Projector] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    stack: ExitStack = field(default_factory=ExitStack)
    published: int = 0
    left: set[Alert] = field(default_factory=set)
    """What goes on after its incident is over, as its rule looks back."""

    def start(self, name: str) -> None:
        """A static member, so that its partitions come back to it at once."""
        settings = dict(self.operator.settings) | {"KAFKA_GROUP_INSTANCE_ID": name}
        self.instances[name] = self.stack.enter_context(running_projector(settings, self.ports[name]))

    async def publish(self, records: list[ARecord]) -> None:
        self.published += len(records)
        await self.world.publish(records)

    async def caught_up(self) -> None:
        await self.world.until_consumed(self.published, SECONDS)

    @contextmanager
    def raises(self, *alerts: Alert, told: set[tuple[str, str]], quiet: frozenset[str] = frozenset()) -> Iterator[None]:
        """What is done within raises these alerts (name, severity, state), and until they are there no other.

        Then Alertmanager tells `told` (name and receiver), and keeps `quiet` quiet.
        """
        eventually("nothing is wrong before", self.well, SECONDS)
        began, expected = time.time(), set(alerts)
        yield
        eventually(f"there is {expected}", lambda: expected <= self.watching.alerts(), SECONDS)
        until = list(self.watching.history(began))
        whole = next(number for number, seen in enumerate(until) if expected <= seen)
        raised = set[Alert]().union(*until[: whole + 1]) - self.left
        assert {alert[:2] for alert in raised} == {alert[:2] for alert in expected}
        eventually(f"told is {told}", lambda: self.manager.told() == told, SECONDS)
        eventually(f"quiet is {quiet}", lambda: self.manager.quiet() == quiet, SECONDS)

    def well(self) -> bool:
        """Both instances were seen to be well, and no alert is left that is not to be."""
        healthy = self.watching.values('min by (instance) (projector_healthy{check=~"group|writes"})')
        return healthy == [1, 1] and self.watching.alerts() <= self.left


@contextmanager
def a_scene(world: World, home: Path) -> Iterator[Scene]:
    ports = {"a": free_port(), "b": free_port()}
    settings = world.settings | {"FUSE_MIN_RECORDS": str(WINDOW)}
    (home / "alertmanager").mkdir()
    with (
        alertmanager(home / "alertmanager") as manager,
        prometheus(home, *ports.values(), rules=at_once(home), alertmanager=manager.port) as watching,
    ):
        scene = Scene(world, watching, manager, Operator(world, settings), ports=ports)
        with scene.stack:
            scene.start("a")
            scene.start("b")
            yield scene


def of_users(number: int) -> list[ARecord]:
    return [a_record(a_user_event()) for _ in range(number)]


def bad(number: int, user: UUID) -> list[ARecord]:
    """Records of one user, without a name."""
    event = a_user_event(id=user) | {"source": "/shop"}
    del event["data"]["name"]
    return [a_record(event | {"id": str(uuid4())}) for _ in range(number)]


async def the_database_stops(scene: Scene, server: EmbeddedPostgres) -> None:
    with scene.raises(("DatabaseDown", "ticket", "firing"), told={("DatabaseDown", TICKETS)}):
        server.stop("immediate")
        await scene.publish(of_users(1))
    line = "curl http://INSTANCE:8080/health/db"
    assert scene.operator.asks(RUNBOOK, "DatabaseDown", line, scene.instances["a"]) == 503
    server.start()
    eventually("it answers", lambda: scene.operator.asks(RUNBOOK, "DatabaseDown", line, scene.instances["a"]) == 200)
    await scene.operator.does(RUNBOOK, "DatabaseDown", "projector status")


async def somebody_pauses(scene: Scene) -> None:
    with scene.raises(("IntakeStopped", "none", "firing"), ("IntakeStopped", "ticket", "pending"), told=set()):
        await scene.operator.does(RUNBOOK, "IntakeStopped", "projector pause")
        await scene.publish(of_users(2))
    assert "paused" in await scene.operator.does(RUNBOOK, "IntakeStopped", "projector status", status=1)
    await scene.operator.does(RUNBOOK, "IntakeStopped", "projector resume")
    scene.left = {("IntakeStopped", "ticket", "pending")}  # for five minutes
    await scene.caught_up()


async def an_instance_is_killed(scene: Scene) -> None:
    with scene.raises(("ProjectorDown", "ticket", "firing"), told={("ProjectorDown", TICKETS)}):
        scene.instances["b"].kill()
    scene.start("b")
    eventually("it has its partitions", lambda: scene.instances["b"].status().get("partitions"), SECONDS)
    await scene.operator.does(RUNBOOK, "ProjectorDown", "projector status --partitions")


async def all_instances_are_killed(scene: Scene) -> None:
    absent = ("ProjectorMetricsAbsent", "page", "firing")
    told = {("ProjectorMetricsAbsent", ON_CALL)}
    with scene.raises(absent, ("ProjectorDown", "ticket", "firing"), told=told, quiet=frozenset({"ProjectorDown"})):
        for instance in scene.instances.values():
            instance.kill()
    scene.start("a")
    scene.start("b")
    eventually("both have theirs", lambda: all(i.status().get("partitions") for i in scene.instances.values()), SECONDS)
    await scene.operator.does(RUNBOOK, "ProjectorMetricsAbsent", "projector status")


async def a_publisher_floods(scene: Scene) -> None:
    floods, mad = "A flood of bad records", uuid4()
    with scene.raises(("IntakeStopped", "page", "firing"), told={("IntakeStopped", ON_CALL)}):
        await scene.publish(bad(WINDOW + WINDOW // 2, mad))
    told = await scene.operator.does(RUNBOOK, "IntakeStopped", "projector status", status=1)
    assert "invalid_data from /shop" in " ".join(told.split()), told
    told = await scene.operator.does(OPERATIONS, "A publisher floods", "projector traffic --topic users --by type")
    assert re.search(r"/shop +user\.created ", told), told
    await scene.operator.does(OPERATIONS, floods, "projector resume --topic users --accept")
    await scene.caught_up()
    assert "/shop" in await scene.operator.does(OPERATIONS, floods, "projector dead-letters list --summary")
    shown = await scene.operator.does(OPERATIONS, floods, "projector dead-letters show --source /shop --limit 1")
    assert "data.name: required" in shown
    await scene.publish([a_record(a_user_event(id=mad))])  # corrected
    await scene.caught_up()
    line = "projector dead-letters discard --source /shop --superseded"
    await scene.operator.does(OPERATIONS, floods, line)
    await scene.operator.does(OPERATIONS, floods, line, more='--execute --why "sent again"')
    assert await scene.world.value("SELECT count(*)::int FROM projector.dead_letters WHERE status = 'new'") == 0


async def a_partition_stops(scene: Scene) -> None:
    """The database is put back to a position that Kafka no longer has."""
    world = scene.world
    end = await world.value(
        "SELECT next_offset::int FROM projector.offsets WHERE topic = $1 AND partition = 0", world.users
    )
    back = f"UPDATE projector.offsets SET next_offset = 0 WHERE topic = '{world.users}' AND partition = 0"
    with scene.raises(("PartitionStopped", "page", "firing"), told={("PartitionStopped", ON_CALL)}):
        await delete_records(world.bootstrap, world.users, before=end)
        await execute(world.database_url, back)
        await scene.publish(of_users(20))
    told = await scene.operator.does(RUNBOOK, "PartitionStopped", "projector offsets show", status=1)
    assert re.search(r"users:0 .* True", told), told
    line = "projector offsets reset --topic users:0 --to-earliest --execute"
    await scene.operator.does(OPERATIONS, "A partition has stopped", line.removesuffix(" --execute"))
    await scene.operator.does(OPERATIONS, "A partition has stopped", line)
    await scene.caught_up()
    await scene.operator.does(RUNBOOK, "PartitionStopped", "projector status")


async def many_records_are_rejected(scene: Scene) -> None:
    with scene.raises(("RejectionsHigh", "ticket", "firing"), told={("RejectionsHigh", TICKETS)}):
        await scene.publish(bad(25, uuid4()) + of_users(30))
    assert "/shop" in await scene.operator.does(RUNBOOK, "RejectionsHigh", "projector dead-letters list --summary")
    await scene.operator.does(RUNBOOK, "RejectionsHigh", "projector dead-letters show --source /shop --limit 1")
    await scene.operator.does(RUNBOOK, "RejectionsHigh", "projector dead-letters list --since PT10M")


async def test_each_incident_raises_its_own_alert_and_its_section_of_the_runbook_ends_it(
    kafka: str, server: EmbeddedPostgres, tmp_path: Path
) -> None:
    world = World.of_its_own(kafka, server.url)
    await migrate_database(world.database_url)
    await world.create_topics(partitions=2)
    with a_scene(world, tmp_path) as scene:
        await scene.publish(of_users(20))
        await scene.caught_up()
        await the_database_stops(scene, server)
        await scene.caught_up()
        await somebody_pauses(scene)
        await an_instance_is_killed(scene)
        await a_publisher_floods(scene)
        await a_partition_stops(scene)
        await all_instances_are_killed(scene)
        await many_records_are_rejected(scene)
        for query in QUERIES:
            scene.watching.ask("query", query=as_asked(query))
