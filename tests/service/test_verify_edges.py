"""`projector verify` ends, with a status that is true, whatever the positions say and Kafka still has."""

import json
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from neon_projector.consumer.environment import load_settings
from neon_projector.consumer.kafka import reread
from neon_projector.consumer.kafka.reread import Reread
from tests.support.factories import a_record, a_user_event
from tests.support.projector import command, running_projector
from tests.support.topics import delete_records
from tests.support.world import World

UNPROVABLE = 5
"""The exit status."""
SET = """
    INSERT INTO projector.offsets (group_id, topic, partition, next_offset, epoch) VALUES ($1, $2, $3, $4, 1)
    ON CONFLICT (group_id, topic, partition) DO UPDATE SET next_offset = excluded.next_offset"""


async def test_an_empty_installation_has_nothing_to_compare(world: World) -> None:
    await world.create_topics(partitions=2)
    without_rows = command("verify", settings=world.settings)
    assert (without_rows.returncode, without_rows.stderr.strip()) == (0, "")
    assert "0 users, 0 documents compared with 0 records: there is nothing to compare" in without_rows.stdout
    await world.publish_users(3)  # not read yet
    for topic in (world.users, world.documents):
        await world.rows(SET, world.group, topic, 0, 0)
    assert verified(world) == (0, [], [])


async def test_what_nobody_published_differs_also_where_no_record_was_read(world: World) -> None:
    await world.create_topics()
    await world.rows(
        "INSERT INTO users (id, email, name, created_at, updated_at, version) "
        "VALUES (gen_random_uuid(), 'a@example.com', 'Ada', now(), now(), 1)"
    )
    status, unprovable, kinds = verified(world)
    assert (status, unprovable, kinds) == (1, [], ["unexpected"])


@pytest.mark.parametrize("column", ["name TYPE varchar(2)", "version TYPE smallint", "version TYPE text"])
async def test_a_column_that_takes_less_than_the_contract_is_named_by_its_table(world: World, column: str) -> None:
    await world.create_topics()
    await world.publish([a_record(a_user_event(version=40_000))])
    await world.rows(SET, world.group, world.users, 0, 1)
    await world.rows(f"ALTER TABLE users ALTER {column}")
    done = command("verify", "--json", settings=world.settings)
    assert (done.returncode, "altered a column of public.users" in done.stderr) == (3, True), done.stderr


async def test_positions_that_kafka_can_not_reach_are_named_and_it_ends(world: World) -> None:
    await world.create_topics(partitions=2)
    await world.publish([a_record(a_user_event()) for _ in range(20)])
    with running_projector(world.settings):
        await world.until_consumed(20)
    await abort_a_record(world)
    with running_projector(world.settings):
        await world.until_consumed(22)  # the aborted one and its marker: nothing but these stands at the end
    assert verified(world) == (0, [], [])

    end = await world.value("SELECT next_offset FROM projector.offsets WHERE topic = $1 AND partition = 0", world.users)
    await world.rows(SET, world.group, world.users, 0, end + 7)
    await world.rows(SET, world.group, world.users, 9, 5)
    await world.rows(SET, world.group, "nobody-made-this", 0, 3)
    status, unprovable, kinds = verified(world)
    assert (status, kinds) == (UNPROVABLE, [])
    assert sorted(unprovable) == sorted([
        f"{world.users}:0: the position {end + 7} is past the end of the topic, {end}",
        f"{world.users}:9: Kafka has no such partition; the position is 5",
        "nobody-made-this:0: Kafka has no such partition; the position is 3",
    ])  # fmt: skip
    told = command("verify", settings=world.settings).stdout
    assert f"{world.users}:0: the position {end + 7} is past the end" in told
    assert "all that could be read says the same" in told


async def test_records_that_retention_took_are_named(world: World) -> None:
    await world.create_topics()
    await world.publish_users(10)
    with running_projector(world.settings):
        await world.until_consumed(10)
    await delete_records(world.bootstrap, world.users, before=4)
    status, unprovable, kinds = verified(world)
    assert (status, unprovable) == (UNPROVABLE, [f"{world.users}:0: Kafka no longer has the records before offset 4"])
    assert kinds == ["unprovable"] * 4
    await world.rows("UPDATE users SET name = 'forged'")
    status, _, kinds = verified(world)
    assert (status, sorted(kinds)) == (1, ["different"] * 6 + ["unprovable"] * 4)
    await delete_records(world.bootstrap, world.users, before=10)
    status, unprovable, _ = verified(world)
    assert (status, unprovable) == (UNPROVABLE, [f"{world.users}:0: Kafka no longer has the records before offset 10"])
    for position_went in ("UPDATE projector.offsets SET next_offset = 0", "DELETE FROM projector.offsets"):
        await world.rows(position_went)
        assert verified(world) == (UNPROVABLE, unprovable, ["unprovable"] * 10)


async def test_records_that_are_deleted_while_it_reads_are_named_and_not_jumped_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reread, "READ_AT_ONCE", 1)
    await world.create_topics()
    for _ in range(30):  # more than the client fetches ahead, each in a batch of its own
        await world.publish_raw("users", b"x" * 500_000)
    settings = load_settings(world.settings)
    reading = Reread(settings, {TopicPartition(world.users, 0): 30}, lambda *_: None)
    offsets = []
    async for records in reading.records():
        offsets += [record.offset for record in records]
        if len(offsets) == 1:
            await delete_records(world.bootstrap, world.users, before=25)
    assert offsets == list(range(len(offsets)))
    assert 0 < len(offsets) < 25
    assert reading.unreadable == [
        f"{world.users}:0: while this was reading, Kafka has deleted the records from offset {len(offsets)} on"
    ]


async def test_over_a_gap_it_goes_on_and_every_offset_is_in_one_part(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reread, "READ_AT_ONCE", 1)
    await world.create_topics(partitions=2)
    for _ in range(30):
        await world.publish_raw("users", b"x" * 500_000, b"one key")
    users, positions = await ends(world)
    start = {users: 2}
    reading = Reread(load_settings(world.settings), positions, lambda *_: None, start, over_gaps=True)
    parts = []
    async for part in reading.parts():
        parts.append(part)
        if len(parts) == 1:
            await delete_records(world.bootstrap, world.users, before=25, partition=users.partition)
    of_users = [part for part in parts if part.partition == users]
    assert [part.span.start for part in of_users] == [2, *(part.span.next_offset for part in of_users[:-1])]
    assert of_users[-1].span.next_offset == positions[users] == 30
    (gap,) = [gap for gap in reading.gaps if gap.partition == users]
    assert (gap.end, gap.start > 2) == (25, True)
    got = [record.offset for part in of_users for record in part.records]
    assert got == [*range(2, gap.start), *range(25, 30)]
    past = TopicPartition(users.topic, 1 - users.partition)
    assert [(gap.start, gap.end) for gap in reading.gaps if gap.partition == past] == [(0, 3)]
    assert (
        f"{users.topic}:{users.partition}: while this was reading, Kafka has deleted the records from offset "
        + (f"{gap.start} to 24")
        in reading.unreadable
    )


async def ends(world: World) -> tuple[TopicPartition, dict[TopicPartition, int]]:
    """The partition that has all 30 records; its end, and of the other one a position that is past the end."""
    both = [TopicPartition(world.users, number) for number in range(2)]
    async with AIOKafkaConsumer(bootstrap_servers=world.bootstrap) as client:
        found = await client.end_offsets(both)
    (full,) = [partition for partition, end in found.items() if end]
    return full, dict.fromkeys(both, 3) | {full: 30}


async def abort_a_record(world: World) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=world.bootstrap, transactional_id=f"{world.users}-aborts")
    await producer.start()
    try:
        await producer.begin_transaction()
        await producer.send_and_wait(world.users, b"never", partition=0)
        await producer.abort_transaction()
    finally:
        await producer.stop()


def verified(world: World) -> tuple[int, list[str], list[str]]:
    """Exit status, what can't be proved, and the kinds of what differs."""
    done = command("verify", "--json", settings=world.settings, timeout=25)
    report: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, report["unprovable"], [one["kind"] for one in report["differences"]]
