"""A topic that was created again, or is compacted, proves nothing: `verify` says so, and `rebuild` deletes no row. Nor
does what the service reads of transactions, and an operator's shell would not."""

from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic

from tests.operate.commands import told
from tests.support.factories import a_record, a_user_event
from tests.support.projector import running_projector
from tests.support.topics import admin, create_topics, delete_topics
from tests.support.world import World

REBUILD = ("rebuild", "--execute", "--undo")
LEVELS = ("read_uncommitted", "read_committed")
COMPACTED = {"cleanup.policy": "compact", "retention.ms": "-1"}


async def apply(world: World, records: int) -> None:
    """Run the service until so many offsets are read in all."""
    with running_projector(world.settings) as projector:
        await world.until_consumed(records)
        assert projector.terminate() == 0


async def not_proved(world: World, why: str, undo: Path) -> None:
    """The five users of the old topic are unprovable, and stay."""
    shown = await world.rows("SELECT * FROM users ORDER BY id")
    found = await told(world, "verify", exit_status=5)
    assert (found["verdict"], found["kinds"]) == ("unprovable", {"unprovable": 5})
    (sentence,) = found["unprovable"]
    assert sentence.startswith(f"{world.users}:0: the topic {why}")
    one = found["differences"][0]["id"]
    assert (await told(world, "verify", "--id", one, exit_status=5))["kinds"] == {"unprovable": 1}
    done = await told(world, *REBUILD, str(undo), exit_status=5)
    assert (done["verdict"], done["healed"], done["undo"]) == ("unprovable", 0, None)
    assert await world.rows("SELECT * FROM users ORDER BY id") == shown


async def test_rows_of_a_topic_that_was_created_again_are_not_taken_away(world: World, tmp_path: Path) -> None:
    await world.create_topics()
    await world.publish_users(5)
    await apply(world, 5)
    await delete_topics(world.bootstrap, world.users)
    await create_topics(world.bootstrap, world.users)
    await world.publish_users(8)
    await not_proved(world, "was created again, and what it had before the position 5 is gone", tmp_path / "undo")
    await told(world, "offsets", "reset", "--topic", world.users, "--to-earliest", "--execute")
    await apply(world, 8)
    await not_proved(world, "was created again before operation", tmp_path / "undo")


async def test_rows_of_a_compacted_topic_are_not_taken_away(world: World, tmp_path: Path) -> None:
    """Kafka's cleaner may have deleted what made them: what a hand has added is not told from them."""
    async with admin(world.bootstrap) as client:
        topics = (world.users, world.documents)
        await client.create_topics([NewTopic(topic, 1, 1, topic_configs=COMPACTED) for topic in topics])
    kept = uuid4()
    await world.publish([a_record(a_user_event()) for _ in range(5)] + [a_record(a_user_event(id=kept))])
    await apply(world, 6)
    await world.rows(
        "UPDATE users SET id = gen_random_uuid(), email = id || '@forged.example' WHERE id <> $1",
        kept,
    )
    await world.rows("UPDATE users SET name = 'forged' WHERE id = $1", kept)
    found = await told(world, "verify", exit_status=1)
    assert found["kinds"] == {"unprovable": 5, "missing": 5, "different": 1}, "what is there is proved"
    await told(world, *REBUILD, str(tmp_path / "undo"), exit_status=5)
    assert await world.value("SELECT count(*)::int FROM users") == 11
    assert (await told(world, "verify", exit_status=5))["kinds"] == {"unprovable": 5}
    await told(world, "offsets", "reset", "--topic", world.users, "--to-earliest", "--execute")
    assert (await told(world, "verify", exit_status=1))["kinds"] == {"unprovable": 5, "ahead": 6}


@pytest.mark.parametrize("levels", [LEVELS, LEVELS[::-1]], ids=["the service reads it", "the shell reads it"])
async def test_what_an_aborted_transaction_held_is_read_as_the_service_reads_it(
    world: World, levels: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    services, shells = levels
    await world.create_topics()
    producer = AIOKafkaProducer(bootstrap_servers=world.bootstrap, transactional_id=f"{world.users}-aborted")
    await producer.start()
    try:
        await producer.begin_transaction()
        await producer.send_and_wait(world.users, a_record(a_user_event()).value, partition=0)
        await producer.abort_transaction()
    finally:
        await producer.stop()
    await world.publish_users(1)
    with running_projector(world.settings | {"KAFKA_ISOLATION_LEVEL": services}) as projector:
        await world.until_consumed(3)
        assert projector.terminate() == 0
    assert await world.value("SELECT count(*)::int FROM users") == 1 + (services == "read_uncommitted")
    monkeypatch.setenv("KAFKA_ISOLATION_LEVEL", shells)
    assert (await told(world, "verify"))["verdict"] == "equal"
