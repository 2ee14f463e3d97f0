"""After records were lost, `explain --partition` lists what may be stale, and nothing that surely is not."""

from uuid import UUID

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.partitioner import murmur2

from tests.operate.commands import printed, told
from tests.support.factories import a_record, a_user_event
from tests.support.projector import running_projector
from tests.support.world import World

USERS = [UUID(int=number) for number in range(1, 81)]


def partition_of(user: UUID) -> int:
    return int(murmur2(str(user).encode()) & 0x7FFFFFFF) % 2


HERE = [user for user in USERS if partition_of(user) == 0]


async def test_what_may_be_stale_is_listed_for_the_publisher(world: World) -> None:
    await world.create_topics(partitions=2)
    name = f"{world.users}:0"
    nothing = await told(world, "explain", "--partition", name)
    assert (nothing["windows"], nothing["may_be_stale"]) == ([], [])
    await publish(world, USERS, 1)
    with running_projector(world.settings) as projector:
        await world.until("SELECT count(*)::int FROM users", len(USERS))
        assert projector.terminate() == 0
    lost, changed_since = HERE[:10], HERE[:4] + HERE[20:]
    await publish(world, lost, 2)
    end = len(HERE) + len(lost)
    admin = AIOKafkaAdminClient(bootstrap_servers=world.bootstrap)
    await admin.start()
    await admin.delete_records({TopicPartition(world.users, 0): RecordsToDelete(before_offset=end)})
    await admin.close()
    await publish(world, changed_since, 3)
    await told(world, "offsets", "reset", "--topic", name, "--to-earliest", "--execute")
    with running_projector(world.settings) as projector:
        await world.until("SELECT sum(next_offset)::int FROM projector.offsets", await world.end_offsets())
        assert projector.terminate() == 0
    report = await told(world, "explain", "--partition", name, exit_status=1)
    (window,) = report["windows"]
    assert (window["from"], window["to"], window["in_kafka"]) == (len(HERE), end, False)
    assert window["position_moved_at"] < window["first_left_at"]
    assert report["keys"] == "murmur2 of the id with hyphens"
    listed = {UUID(row["id"]): row["version"] for row in report["may_be_stale"]}
    assert listed == {user: 1 for user in HERE if user not in changed_since}
    assert set(lost) - set(changed_since) <= listed.keys()
    assert report["fresh"] == len(changed_since)
    assert (await told(world, "explain", "--partition", f"{world.users}:1"))["windows"] == []
    assert f"{name}: {len(listed)} entities may be stale" in await printed(world, "explain", "--partition", name)
    await world.rows('UPDATE projector.operations SET filter = \'{"group_id": "theirs"}\'')
    assert (await told(world, "explain", "--partition", name))["windows"] == []


async def publish(world: World, users: list[UUID], version: int) -> None:
    """A complete state of each."""
    await world.publish([a_record(a_user_event(id=user, version=version)) for user in users])
