"""What is fetched ahead, by the client itself and a real broker."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence

import aiokafka.consumer.consumer
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer import fetcher as client_module
from aiokafka.errors import CorruptRecordException, OffsetOutOfRangeError

from neon_projector.consumer.kafka import client_fetcher
from neon_projector.consumer.kafka.fetcher import PARTITION_BYTES, Fetcher
from neon_projector.consumer.kafka.light_records import LightRecord, LightRecords, LightResult
from neon_projector.consumer.kafka.record_batches import RawRecords
from neon_projector.projections.contract.record import Record
from tests.support.factories import a_record, a_user_event
from tests.support.world import World

SECOND_MS = 1_000
LARGE = 2 * PARTITION_BYTES[0]
"""Bytes of a value, and so of the topic's batch that it is in."""


@pytest.fixture
async def client(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AIOKafkaConsumer]:
    """Reads the users' four partitions from their beginnings, as light records."""
    monkeypatch.setattr(client_module, "PartitionRecords", LightRecords)
    monkeypatch.setattr(client_module, "FetchResult", LightResult)
    monkeypatch.setattr(client_module, "MemoryRecords", RawRecords)
    monkeypatch.setattr(aiokafka.consumer.consumer, "Fetcher", client_fetcher.Fetcher)
    await world.create_topics(4)
    async with AIOKafkaConsumer(bootstrap_servers=world.bootstrap, auto_offset_reset="none") as client:
        client.assign([TopicPartition(world.users, number) for number in range(4)])
        await client.seek_to_beginning()
        yield client


@pytest.fixture
def fetcher(client: AIOKafkaConsumer) -> Fetcher:
    own = Fetcher(client)
    own.begin(4)
    return own


async def taken(
    fetcher: Fetcher, wanted: Mapping[TopicPartition, int], max_records: int
) -> dict[TopicPartition, Sequence[Record]]:
    return {partition: records async for partition, records in fetcher.get(wanted, max_records, SECOND_MS)}


async def read(fetcher: Fetcher, partitions: Collection[TopicPartition], number: int) -> dict[TopicPartition, int]:
    """Until there are so many records; of each partition how many, whose offsets have no gap."""
    found: dict[TopicPartition, list[Record]] = {partition: [] for partition in partitions}
    async with asyncio.timeout(30):
        while sum(map(len, found.values())) < number:
            for partition, records in (await taken(fetcher, dict.fromkeys(partitions, 50), 50)).items():
                found[partition] += records
    for records in found.values():
        assert [record.offset for record in records] == list(range(len(records)))
    return {partition: len(records) for partition, records in found.items()}


async def test_of_each_partition_comes_as_much_as_is_wanted(
    world: World, client: AIOKafkaConsumer, fetcher: Fetcher
) -> None:
    await world.publish_users(400)
    partitions = sorted(client.assignment())
    wanted = dict.fromkeys(partitions, 7)
    came = dict.fromkeys(partitions, 0)
    while not all(came.values()):
        for partition, records in (await taken(fetcher, wanted, 1_000)).items():
            assert len(records) <= wanted[partition]
            came[partition] += len(records)
    assert sum(map(len, (await taken(fetcher, wanted, 10)).values())) == 10


async def test_nothing_is_lost_between_two_looks(world: World, client: AIOKafkaConsumer, fetcher: Fetcher) -> None:
    await world.publish_users(1_000)
    assert min((await read(fetcher, client.assignment(), 1_000)).values()) > 0


async def test_what_rests_is_fetched_when_it_is_wanted_again(
    world: World, client: AIOKafkaConsumer, fetcher: Fetcher
) -> None:
    first, *others = sorted(client.assignment())
    fetcher.only({first}, client.assignment())
    assert await taken(fetcher, {first: 1}, 1) == {first: ()}, "by now no fetch is under way that names others"
    await world.publish_users(400)
    await read(fetcher, [first], 50)
    assert client._fetcher._records.keys() <= {first}
    fetcher.only({first, *others}, client.assignment())
    for partition in others:
        assert (await read(fetcher, [partition], 10))[partition] >= 10


async def test_of_batches_larger_than_was_asked_for_several_come_at_once(
    world: World, client: AIOKafkaConsumer, fetcher: Fetcher
) -> None:
    fetcher.begin(256)
    assert client._fetcher._max_partition_fetch_bytes == PARTITION_BYTES[0]
    await world.publish([a_record(a_user_event(name="x" * LARGE)) for _ in range(40)], max_batch_size=1)
    await read(fetcher, client.assignment(), 40)
    assert LARGE < client._fetcher._max_partition_fetch_bytes <= PARTITION_BYTES[1]


async def test_an_error_of_one_partition_loses_nothing_of_the_others(
    world: World, client: AIOKafkaConsumer, fetcher: Fetcher
) -> None:
    await world.publish_users(400)
    first, second, *_ = sorted(client.assignment())
    client.seek(second, 1_000)
    came, errors = list[int](), 0
    async with asyncio.timeout(30):
        while len(came) < 50 or not errors:
            try:
                found = await taken(fetcher, {first: 10, second: 10}, 20)
            except OffsetOutOfRangeError:
                errors += 1
                client.pause(second)
            else:
                came += [record.offset for record in found.get(first, ())]
    assert came == list(range(len(came)))


async def test_what_was_taken_before_an_error_is_given(
    world: World, client: AIOKafkaConsumer, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.publish_users(400)
    first, second, *_ = sorted(client.assignment())
    async with asyncio.timeout(30):
        while not {first, second} <= client._fetcher._records.keys():
            await asyncio.sleep(0.01)
    getall = LightResult.getall

    def corrupt(self: LightResult, max_records: int) -> list[LightRecord]:
        if self is client._fetcher._records[second]:
            raise CorruptRecordException("Invalid CRC")
        return getall(self, max_records)

    monkeypatch.setattr(LightResult, "getall", corrupt)
    answer = fetcher.get({first: 10, second: 10}, 100, SECOND_MS)
    partition, records = await anext(answer)
    with pytest.raises(CorruptRecordException):
        await anext(answer)
    assert (partition, [record.offset for record in records]) == (first, list(range(10)))
    assert [record.offset for record in (await taken(fetcher, {first: 5}, 5))[first]] == list(range(10, 15))


async def test_of_what_lies_unread_no_answer_is_awaited(
    world: World, client: AIOKafkaConsumer, fetcher: Fetcher
) -> None:
    first = min(client.assignment())
    async with asyncio.timeout(30):
        while not fetcher.answered_at(first):  # an empty topic's fetches are answered too
            await asyncio.sleep(0.01)
        await world.publish_users(400)
        while first not in client._fetcher._records:
            await asyncio.sleep(0.01)
    assert fetcher.answered_at(first) is None, "nothing more is fetched of it until that is taken"
    await read(fetcher, [first], 10)


async def test_the_client_knows_that_somebody_reads(client: AIOKafkaConsumer, fetcher: Fetcher) -> None:
    """Else it would leave the group after `max.poll.interval.ms`, which is 25 days."""
    began = client._subscription._last_fetch_ended
    assert not any((await taken(fetcher, dict.fromkeys(client.assignment(), 1), 1)).values())
    assert client._subscription._last_fetch_ended > began


async def test_it_tells_where_the_client_stands(world: World, client: AIOKafkaConsumer, fetcher: Fetcher) -> None:
    first, *others = sorted(client.assignment())
    assert fetcher.stands(TopicPartition("other", 0)) == (None, None)
    await world.publish_users(400)
    await read(fetcher, client.assignment(), 400)
    for partition in (first, *others):
        end = (await client.end_offsets([partition]))[partition]
        assert fetcher.stands(partition) == (await client.position(partition), end) == (end, end)
