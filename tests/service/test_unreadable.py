"""Records that the client library can't read: one with a bad header's name, and whole batches that are damaged."""

import json
import shlex
from typing import Any

from aiokafka import TopicPartition

from neon_projector.consumer.kafka.reread import Reread
from neon_projector.consumer.settings import Settings
from tests.support.factories import a_record, a_user_event
from tests.support.kafka import local_kafka
from tests.support.projector import Projector, command, eventually, running_projector
from tests.support.raw_kafka import GZIP, RawRecord, a_batch, raw, raw_producer
from tests.support.topics import create_topics
from tests.support.world import World

LATIN = (b"caf\xe9", b"1")


def users(number: int, *headers: tuple[bytes, bytes | None]) -> list[RawRecord]:
    return [raw(a_record(a_user_event()), *headers) for _ in range(number)]


async def test_a_header_whose_name_is_not_utf_8_is_one_dead_letter(world: World) -> None:
    await world.create_topics()
    bad_value = RawRecord(b"{", None, [(b"fine", None), (b"\xc3", None)])
    async with raw_producer(world.bootstrap, users=world.users) as producer:
        await producer.send("users", a_batch([*users(3), *users(1, LATIN), *users(3)]))
        await producer.send("users", a_batch([bad_value, *users(2)], GZIP))
        await producer.send("users", a_batch([*users(1), *users(1, ("naïve".encode(), b"1"))]))
    with running_projector(world.settings) as projector:
        await world.until_consumed(12)
        retried = command("dead-letters", "retry", "--all", "--execute", "--details", "--json", settings=world.settings)
        verified = command("verify", settings=world.settings)
        assert projector.terminate() == 0
    assert await world.value("SELECT count(*)::int FROM users") == 10
    letters = await world.rows(
        'SELECT "offset", reason, error, headers::text, attempts FROM projector.dead_letters ORDER BY "offset"'
    )
    assert [(row["offset"], row["reason"], row["attempts"]) for row in letters] == [
        (3, "invalid_text", 2),
        (7, "invalid_text", 2),
    ]
    assert {row["error"] for row in letters} == {"a header: a name in UTF-8, another encoding came"}
    assert json.loads(letters[0]["headers"]) == [["caf\\xe9", "1"]]
    assert [letter["outcome"] for letter in json.loads(retried.stdout)["letters"]] == ["rejected"] * 2
    assert "10 users, 0 documents compared with 12 records: all are what the topics say" in verified.stdout
    assert verified.returncode == 0


async def test_what_can_t_be_read_stops_its_partition_alone_and_is_named(world: World) -> None:
    await world.create_topics(partitions=2)
    damaged = a_batch(users(3), GZIP, b"what Java's reader of gzip leaves alone")
    async with raw_producer(world.bootstrap, users=world.users) as producer:
        with running_projector(world.settings) as projector:
            for partition in (0, 1):
                await producer.send("users", a_batch(users(2)), partition)
            assert await producer.send("users", damaged) == 2
            await producer.send("users", a_batch(users(4)))
            eventually("it is told", lambda: projector.get("/health/ready")[0] == 503 and told(projector))
            await producer.send("users", a_batch(users(5)), 1)
            await world.until("SELECT count(*)::int FROM users", 2 + 2 + 5)
            partition_label = f'partition="0",reason="unreadable",topic="{world.users}"'
            stopped = f"projector_partition_stopped{{{partition_label}}} 1.0"
            eventually("the metric says so", lambda: stopped in projector.get("/metrics")[1])
            (line,) = told(projector)
            assert (line["topic"], line["partition"], line["position"]) == (world.users, 0, 2)
            status = command("status", "--json", settings=world.settings)
            rows = json.loads(status.stdout)["partitions"]
            assert [row["stopped"] for row in rows if row["topic"] == world.users] == ["unreadable", None]
            assert status.returncode == 1
            _, _, step_over = line["message"].partition("projector ")
            assert step_over == f"offsets reset --topic {world.users}:0 --to-offset 5"
            assert command(*shlex.split(step_over), "--execute", "--yes", settings=world.settings).returncode == 0
            await world.until("SELECT count(*)::int FROM users", 2 + 2 + 5 + 4)
            eventually("all is well again", lambda: projector.get("/health/ready")[0] == 200)
            assert projector.terminate() == 0
    verified = command("verify", settings=world.settings)
    assert "13 users, 0 documents compared with 13 records: all that could be read says the same" in verified.stdout
    assert f"{world.users}:0: the records from offset 2 to 4 can't be read" in verified.stdout
    assert verified.returncode == 5


async def test_a_damaged_batch_before_the_position_stops_nothing(world: World) -> None:
    """Only its last record would have been compared; a stored fingerprint names a record that can't be read now."""
    await world.create_topics()
    async with raw_producer(world.bootstrap, users=world.users) as producer:
        await producer.send("users", a_batch(users(3), GZIP, b"garbage"))
        await producer.send("users", a_batch(users(2)))
        with running_projector(world.settings) as projector:
            eventually("it is stopped", lambda: told(projector))
            projector.kill()
        await world.rows("UPDATE projector.offsets SET next_offset = 3, fingerprint = '2:00', skipped = 3 "
                         "WHERE topic = $1", world.users)  # fmt: skip
        with running_projector(world.settings) as projector:
            await world.until("SELECT count(*)::int FROM users", 2)
            eventually("it is ready", lambda: projector.get("/health/ready")[0] == 200)
            assert not told(projector)
            assert projector.terminate() == 0


def told(projector: Projector) -> list[dict[str, Any]]:
    """The log's errors about what can't be read."""
    lines = [json.loads(line) for line in projector.logged().splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("reason") == "unreadable"]


async def test_a_broker_that_can_t_read_its_own_log_is_heard() -> None:
    """A broker of this test's own, whose file is changed under it; the service's own reader asks for the records."""
    with local_kafka() as kafka:
        await create_topics(kafka.bootstrap, "t", partitions=2)
        records = a_batch([RawRecord(b"a"), RawRecord(b"b")])
        async with raw_producer(kafka.bootstrap) as producer:
            for partition in (0, 0, 0, 1):
                await producer.send("t", records, partition)
        (log,) = kafka.home.rglob("t-0/00000000000000000000.log")
        with log.open("r+b") as file:
            file.seek(len(records) + len("offset.."))
            file.write(b"\0\0\0\1")  # of the second batch: its length
        positions = {TopicPartition("t", 0): 6, TopicPartition("t", 1): 2}
        settings = Settings(neon_database_url="postgresql://h/d", kafka_bootstrap_servers=kafka.bootstrap)
        reading = Reread(settings, positions, lambda *_: None)
        read = [(one.partition, one.offset) async for some in reading.records() for one in some]
    assert sorted(read) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert reading.unreadable == ["t:0: the records from offset 2 on can't be read"]
