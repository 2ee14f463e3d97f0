"""Light records are the client's own, less what nobody reads."""

import inspect

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer import consumer, fetcher
from aiokafka.consumer.fetcher import READ_COMMITTED, Fetcher, FetchResult, PartitionRecords
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from neon_projector.consumer.kafka import client_fetcher as fetching
from neon_projector.consumer.kafka.light_records import LightRecord, LightRecords, LightResult, read_lightly
from neon_projector.consumer.kafka.record_batches import RawRecords, Unreadable

PARTITION = TopicPartition("users", 3)
GIVEN = [
    (b"key", b"value", [("Content-Type", b"application/json"), ("empty", None)]),
    (None, None, []),
    (b"", b"", []),
    ("Grüße".encode(), b"x" * 1_000, []),
]


def a_batch(first: int, producer: int = -1) -> bytes:
    builder = DefaultRecordBatchBuilder(2, 0, producer != -1, producer, 0, 0, 1_000_000)
    for number, (key, value, headers) in enumerate(GIVEN):
        builder.append(first + number, 1_700_000_000_000 + number, key, value, headers)
    return bytes(builder.build())


def read(kind: type[PartitionRecords], data: bytes, aborted: list[tuple[int, int]] | None = None) -> PartitionRecords:
    return kind(PARTITION, RawRecords(data), aborted, 0, None, None, True, READ_COMMITTED)


def test_they_say_what_the_clients_own_say() -> None:
    data = a_batch(0) + a_batch(10)
    light, heavy = list(read(LightRecords, data)), list(read(PartitionRecords, data))
    assert len(light) == 2 * len(GIVEN)
    assert all(type(record) is LightRecord for record in light)
    for name in LightRecord.__struct_fields__:
        assert [getattr(record, name) for record in light] == [getattr(record, name) for record in heavy]


def test_what_was_aborted_is_skipped_and_the_position_moves_over_it() -> None:
    records = read(LightRecords, a_batch(0) + a_batch(10, producer=7), aborted=[(7, 0)])  # the builder counts from 0
    assert [record.offset for record in records] == [0, 1, 2, 3]
    assert records.next_fetch_offset == 14


def test_taken_bit_by_bit_none_is_lost() -> None:
    records, taken = read(LightRecords, a_batch(0)), []
    while True:
        for record in records:  # as the client does where it is asked for a few only
            taken.append(record.offset)
            break
        else:
            break
    assert taken == [0, 1, 2, 3]


def test_what_comes_before_an_error_is_given_and_the_rest_is_asked_for_once_more() -> None:
    """Unpacking is a generator of the client, which ends with the error; the list keeps what it gave before."""
    damaged = bytearray(a_batch(0) + a_batch(len(GIVEN)))
    damaged[-1] ^= 1
    for most in (None, 2, 3, 9):
        records, taken = read(LightRecords, bytes(damaged)), []
        while piece := records.take(most):
            assert len(piece) <= (most or 9)
            taken += [record.offset for record in piece]
        assert taken == [0, 1, 2, 3] == list(range(records.next_fetch_offset))
    with pytest.raises(Unreadable):
        read(LightRecords, bytes(damaged)[len(a_batch(0)) :]).take(9)


async def test_the_client_takes_them_all_at_once_and_moves_on() -> None:
    state = SubscriptionState()
    state.assign_from_user({PARTITION})
    assignment = state.subscription.assignment
    assignment.state_value(PARTITION).reset_to(0)
    for most, pieces in ((None, [4]), (2, [2, 2, 0]), (3, [3, 1]), (4, [4, 0])):
        assignment.state_value(PARTITION).seek(0)
        own = LightResult(PARTITION, assignment=assignment, partition_records=read(LightRecords, a_batch(0)), backoff=0)
        for number in pieces:
            assert len(own.getall(most)) == number
        assert not own.has_more()
        assert assignment.state_value(PARTITION).position == 4


def test_the_client_uses_what_it_is_given() -> None:
    known = fetcher.PartitionRecords, fetcher.FetchResult, fetcher.MemoryRecords, consumer.Fetcher
    try:
        read_lightly()
        assert "PartitionRecords(" in inspect.getsource(Fetcher)
        assert "self._fetcher = Fetcher(" in inspect.getsource(AIOKafkaConsumer)
        assert consumer.Fetcher is fetching.Fetcher
        assert "self._set_error(tp, err)" in inspect.getsource(Fetcher._proc_fetch_request)
        assert "MemoryRecords(part_data[-1])" in inspect.getsource(Fetcher)
        assert (fetcher.PartitionRecords, fetcher.MemoryRecords) == (LightRecords, RawRecords)
        assert fetcher.FetchResult is LightResult
        assert "= FetchResult(" in inspect.getsource(Fetcher)
        assert ".getall(max_records)" in inspect.getsource(Fetcher)
    finally:
        fetcher.PartitionRecords, fetcher.FetchResult, fetcher.MemoryRecords, consumer.Fetcher = known
    for name in ("_records_iterator", "_consumer_record"):
        assert f"self.{name}" in inspect.getsource(PartitionRecords)
    for name in ("_update_position()", "_partition_records = None", "_topic_partition = tp"):
        assert f"self.{name}" in inspect.getsource(FetchResult)
