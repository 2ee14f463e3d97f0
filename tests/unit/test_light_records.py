"""Light records are the client's own, less what nobody reads."""

import inspect

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer import consumer, fetcher
from aiokafka.consumer.fetcher import READ_COMMITTED, Fetcher, PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from neon_projector.consumer.kafka import client_fetcher as fetching
from neon_projector.consumer.kafka.light_records import LightRecord, LightRecords, read_lightly
from neon_projector.consumer.kafka.record_batches import RawRecords

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


def test_the_client_uses_what_it_is_given() -> None:
    known = fetcher.PartitionRecords, fetcher.MemoryRecords, consumer.Fetcher
    try:
        read_lightly()
        assert "PartitionRecords(" in inspect.getsource(Fetcher)
        assert "self._fetcher = Fetcher(" in inspect.getsource(AIOKafkaConsumer)
        assert consumer.Fetcher is fetching.Fetcher
        assert "self._set_error(tp, err)" in inspect.getsource(Fetcher._proc_fetch_request)
        assert "MemoryRecords(part_data[-1])" in inspect.getsource(Fetcher)
        assert (fetcher.PartitionRecords, fetcher.MemoryRecords) == (LightRecords, RawRecords)
    finally:
        fetcher.PartitionRecords, fetcher.MemoryRecords, consumer.Fetcher = known
    for name in ("_records_iterator", "_consumer_record"):
        assert f"self.{name}" in inspect.getsource(PartitionRecords)
