"""Kafka is read for one id alone: all of its records are given, hardly any other, and every offset is covered."""

from typing import Any
from uuid import UUID

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.protocol.fetch import FetchRequest

from neon_projector.consumer.environment import load_settings
from neon_projector.consumer.kafka import client_fetcher
from neon_projector.consumer.kafka.mentions import Mentions
from neon_projector.consumer.kafka.reread import Reread
from tests.support.factories import a_record, a_user_event
from tests.support.world import World

ADA = UUID("7b0c0f0e-6a0e-4c8e-9f57-0c5f3c3c1d11")


async def test_whatever_they_are_packed_with_and_whoever_aborted_some(world: World) -> None:
    await world.create_topics(partitions=2)
    for codec in (None, "gzip", "snappy", "lz4", "zstd"):
        await world.publish([a_record(a_user_event()) for _ in range(40)], compression_type=codec)
        ada = [a_record(a_user_event("updated", ADA, version, name="Ada")) for version in (2, 3)]
        await world.publish(ada, compression_type=codec)
    producer = AIOKafkaProducer(bootstrap_servers=world.bootstrap, transactional_id=f"{world.users}-sifted")
    await producer.start()
    for partition, counts in ((0, False), (0, True), (1, True), (0, False)):
        await producer.begin_transaction()
        await producer.send_and_wait(world.users, ada[0].value, ada[0].key, partition=partition)
        await (producer.commit_transaction() if counts else producer.abort_transaction())
    await producer.stop()
    await world.publish(ada)
    async with AIOKafkaConsumer(bootstrap_servers=world.bootstrap) as client:
        ends = await client.end_offsets([TopicPartition(world.users, number) for number in range(2)])
    whole = Reread(load_settings(world.settings), ends, lambda *_: None)
    all_records = [record async for records in whole.records() for record in records]
    mentions = Mentions([ADA])
    own = {(r.partition, r.offset) for r in all_records if mentions.of(r)}
    assert len(own) == 14
    sifted = Reread(load_settings(world.settings), ends, lambda *_: None, only=mentions)
    found, stood = set(), dict.fromkeys(ends, 0)
    async for part in sifted.parts():
        assert part.span.start == stood[part.partition]
        stood[part.partition] = part.span.next_offset
        found |= {(r.partition, r.offset) for r in part.records}
    assert (stood, found, sifted.unreadable) == (ends, own, [])


async def test_no_partition_waits_for_another_that_is_at_its_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client asks a broker for one thing at a time, and a broker holds what finds nothing."""
    await world.create_topics(partitions=2)
    large, small = (TopicPartition(world.users, number) for number in range(2))
    async with AIOKafkaProducer(bootstrap_servers=world.bootstrap) as producer:
        for _ in range(60):
            await producer.send_and_wait(world.users, bytes(100_000), partition=large.partition)
        await producer.send_and_wait(world.users, b"x", partition=small.partition)
    alone, send = list[int](), client_fetcher._Heard.send

    async def watched(self: Any, node_id: int, request: Any) -> Any:
        if isinstance(request, FetchRequest):
            asked = {TopicPartition(t, p): offset for t, partitions in request.topics for p, offset, _ in partitions}
            if asked == {small: 1}:
                alone.append(request._max_wait_ms)
        return await send(self, node_id, request)

    monkeypatch.setattr(client_fetcher._Heard, "send", watched)
    reading = Reread(load_settings(world.settings), {large: 60, small: 1}, lambda *_: None, only=Mentions([ADA]))
    assert [records async for records in reading.records()] == []
    assert alone
    assert max(alone) <= 10, "milliseconds"
