"""Rejected records with very many headers: their letters are made before the transaction, and keep the first ones."""

import json
from uuid import uuid4

from tests.support.factories import a_record, a_user_event
from tests.support.projector import command, running_projector
from tests.support.raw_kafka import RawRecord, a_batch, raw, raw_producer
from tests.support.world import World

MANY = [(b"%d" % number, b"") for number in range(150_000)]


async def test_letters_of_records_with_very_many_headers_hold_nothing_up(world: World) -> None:
    await world.create_topics()
    ids = [uuid4() for _ in range(5)]
    async with raw_producer(world.bootstrap, users=world.users) as producer:
        for number in range(20):
            await producer.send("users", a_batch([RawRecord(b"{%d" % number, None, MANY)]))
        await producer.send("users", a_batch([raw(a_record(a_user_event(id=id_))) for id_ in ids]))
        for id_ in ids:  # only the transaction finds these out
            await producer.send("users", a_batch([raw(a_record(a_user_event(id=id_, name="Eve")), *MANY)]))
        await producer.send("users", a_batch([raw(a_record(a_user_event()))]))
    with running_projector(world.settings) as projector:
        await world.until_consumed(31, seconds=60)
        assert projector.get("/health/live")[0] == 200
        assert projector.terminate() == 0
        lines = [json.loads(line) for line in projector.logged().splitlines()]
        loud = [line["message"] for line in lines if line["level"] not in ("debug", "info")]
        assert set(loud) == {"records are rejected"}, loud  # no transaction was ended for being idle
    letters = await world.rows("""
        SELECT reason, header_count, jsonb_array_length(headers) AS kept, count(*)::int
        FROM projector.dead_letters GROUP BY 1, 2, 3 ORDER BY 1""")
    assert [tuple(row.values()) for row in letters] == [
        ("invalid_json", 150_000, 100, 20),
        ("version_conflict", 150_000, 100, 5),
    ]
    assert await world.value("SELECT count(*)::int FROM users WHERE name = 'Ada'") == 6
    number = await world.value("SELECT min(id) FROM projector.dead_letters")
    assert json.loads(command("dead-letters", "show", str(number), "--json", settings=world.settings).stdout)[
        "header_count"
    ] == len(MANY)
    retried = command("dead-letters", "retry", str(number), "--details", "--json", settings=world.settings)
    (letter,) = json.loads(retried.stdout)["letters"]
    assert letter["outcome"] == "rejected", "what is cut is read from Kafka once more"
