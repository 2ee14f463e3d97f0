"""Events from clients that this project did not write arrive, in every mode and codec, and lag tools see it."""

import asyncio
import json
import subprocess
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from aiokafka import AIOKafkaProducer
from cloudevents.core.bindings.kafka import KafkaMessage, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

from tests.support.factories import a_document_event, a_record, a_user_event, an_event
from tests.support.kafka import consumer_groups
from tests.support.projector import running_projector
from tests.support.world import World


async def test_an_event_sent_with_kcat_arrives(world: World) -> None:
    await world.create_topics(partitions=2)
    event = a_user_event(email="ada@example.com", name="Ada")
    kcat(world, world.users, event)
    with running_projector(world.settings) as projector:
        await world.until_consumed(1)
        assert projector.terminate() == 0
    (user,) = await world.rows("SELECT * FROM users")
    assert (user["id"], user["email"], user["name"]) == (UUID(event["data"]["id"]), "ada@example.com", "Ada")
    assert (await world.totals())["applied"] == 1


async def test_a_binary_event_sent_with_kcat_arrives(world: World) -> None:
    await world.create_topics()
    event = a_user_event(name="Grace")
    headers = [f"-Hce_{name}={value}" for name, value in event.items() if name != "data"]
    kcat(world, world.users, event["data"], "-H", "content-type=application/json", *headers)
    with running_projector(world.settings):
        await world.until("SELECT name FROM users UNION ALL SELECT NULL LIMIT 1", "Grace")


@pytest.mark.parametrize("mode", [to_structured_event, to_binary_event], ids=["structured", "binary"])
async def test_events_of_the_cloudevents_package_arrive_also_of_a_newer_minor_version(world: World, mode: Any) -> None:
    await world.create_topics()
    user = a_user_event(nickname="Countess")
    document = a_document_event(owner=UUID(user["data"]["id"]), title="Über alles wächst Gras")
    merged = an_event("user.merged", {"id": user["data"]["id"], "version": 2, "into": user["data"]["id"]})
    for topic, event in ((world.users, user), (world.documents, document), (world.users, merged)):
        data = event.pop("data")
        await send(world, topic, mode(CloudEvent(attributes(event), data)))
    with running_projector(world.settings):
        await world.until_consumed(3)
    assert (await world.totals())["ignored"] == 1
    (row,) = await world.rows("SELECT title, email FROM documents JOIN users ON users.id = user_id")
    assert row["title"] == "Über alles wächst Gras"


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_topics_compressed_with_any_codec_are_read(world: World, codec: str) -> None:
    await world.create_topics()
    await world.publish([a_record(a_user_event()) for _ in range(50)], compression_type=codec)
    with running_projector(world.settings):
        await world.until("SELECT count(*)::int FROM users", 50)


async def test_kafkas_own_tool_sees_no_lag_after_transactions_were_committed_and_aborted(world: World) -> None:
    await world.create_topics(partitions=2)
    await in_transaction(world, [a_user_event() for _ in range(20)], commit=True)
    await in_transaction(world, [a_user_event() for _ in range(20)], commit=False)
    with running_projector(world.settings) as projector:
        await world.until("SELECT sum(applied)::int FROM projector.offsets", 20)
        offsets = await world.end_offsets()
        await world.until_consumed(offsets)
        assert projector.terminate() == 0
    lags = consumer_groups(world.bootstrap, world.group)
    assert lags != {}
    assert set(lags.values()) == {0}
    totals = await world.totals()
    assert totals == {**dict.fromkeys(totals, 0), "applied": 20, "skipped": offsets - 20}


def kcat(world: World, topic: str, event: dict[str, Any], *options: str) -> None:
    entity_id = event.get("data", event)["id"]
    command = ["kcat", "-P", "-b", world.bootstrap, "-t", topic, "-K", "\t", *options]
    subprocess.run(command, input=f"{entity_id}\t{json.dumps(event)}\n".encode(), check=True, timeout=30)


def attributes(event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "datacontenttype": "application/json", "time": datetime.fromisoformat(event["time"])}


async def send(world: World, topic: str, message: KafkaMessage) -> None:
    async with AIOKafkaProducer(bootstrap_servers=world.bootstrap) as producer:
        key = message.key.encode() if isinstance(message.key, str) else message.key
        value = message.value.encode() if isinstance(message.value, str) else message.value
        await producer.send_and_wait(topic, value, key=key, headers=list(message.headers.items()))


async def in_transaction(world: World, events: list[dict[str, Any]], *, commit: bool) -> None:
    async with AIOKafkaProducer(bootstrap_servers=world.bootstrap, transactional_id=world.users) as producer:
        await producer.begin_transaction()
        records = [a_record(event) for event in events]
        await asyncio.gather(*[await producer.send(world.users, r.value, key=r.key) for r in records])
        await (producer.commit_transaction() if commit else producer.abort_transaction())
