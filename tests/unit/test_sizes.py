"""What bounds the memory counts all of a record: a key or a header may be as large as a value."""

import sys
from uuid import UUID

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED

from neon_projector.consumer.batch import Fetched
from neon_projector.consumer.batching.buffers import Buffers
from neon_projector.consumer.batching.sizes import HEADER_BYTES, size_of, sizes
from neon_projector.consumer.kafka.light_records import HEADERS_AT_ONCE, LightRecord, LightRecords
from neon_projector.consumer.kafka.record_batches import RawRecords
from neon_projector.consumer.offsets.claim import OffsetRange
from neon_projector.projections.contract.decode import EVENT_MAX_BYTES
from neon_projector.projections.contract.fast_path import FastPath
from neon_projector.projections.registry import REGISTRY
from tests.support.factories import a_record, a_user_event
from tests.support.raw_kafka import RawRecord, a_batch

PARTITION = TopicPartition("users", 0)


def a_light(offset: int, key: bytes | None, value: bytes | None, *headers: tuple[str, bytes | None]) -> LightRecord:
    return LightRecord("users", 0, offset, 1_000 + offset, key, value, headers)


def test_key_value_and_headers_count() -> None:
    records = [a_light(0, b"k" * 7, b"v" * 100), a_light(1, None, None), a_light(2, None, b"", ("ab", b"c" * 9))]
    assert list(sizes(records)) == [size_of(one) for one in records] == [107, 0, HEADER_BYTES + 11]
    assert list(sizes(records[:2])) == [107, 0]
    buffers = Buffers()
    buffers.add(Fetched(PARTITION, OffsetRange(0, 3, 1), records))
    assert buffers.size == buffers.until(2_000)[1] == 107 + HEADER_BYTES + 11
    assert buffers.take(2_000, 2, 10**6, 10)[0].size == 107


@pytest.mark.parametrize("value", [b"", b"x", b"x" * 1_000])
def test_a_header_counts_for_as_much_as_it_takes_at_least(value: bytes) -> None:
    pair = ("name", value)
    taken = sys.getsizeof(pair) + sys.getsizeof(pair[0]) + sys.getsizeof(value)
    assert taken <= size_of(a_light(0, None, None, pair)) + 8 <= taken + 64


def test_times_that_fall_count_as_no_earlier_than_those_before() -> None:
    for times in ([-5, 3, 2, 9], [4, 4, 1, 2], [1, 2, 3, 4]):
        buffers = Buffers()
        records = [LightRecord("users", 0, n, time, None, b"", ()) for n, time in enumerate(times)]
        buffers.add(Fetched(PARTITION, OffsetRange(0, 2, 1), records[:2]))
        buffers.add(Fetched(PARTITION, OffsetRange(2, 4, 1), records[2:]))
        expected = [max(0, *times[: n + 1]) for n in range(4)]
        assert [buffers.until(time)[0] for time in range(11)] == [sum(e <= t for e in expected) for t in range(11)]


def test_of_one_fetch_only_so_many_headers_are_unpacked() -> None:
    number = HEADERS_AT_ONCE // 4
    headers = [(b"a", b"b")] * number
    data = a_batch([RawRecord(b"1", None, headers) for _ in range(10)])
    offset, fetches = 0, []
    while offset < 10:
        records = LightRecords(PARTITION, RawRecords(data), None, offset, None, None, True, READ_COMMITTED)
        found = [record.offset for record in records]
        assert records.next_fetch_offset == found[-1] + 1
        offset = records.next_fetch_offset
        fetches.append(found)
    assert [one for found in fetches for one in found] == list(range(10))
    assert max(map(len, fetches)) <= 4


def test_a_record_with_more_headers_than_that_is_read_nevertheless() -> None:
    data = a_batch([RawRecord(b"1", None, [(b"a", b"b")] * (HEADERS_AT_ONCE + 1))])
    records = LightRecords(PARTITION, RawRecords(data), None, 0, None, None, True, READ_COMMITTED)
    assert [len(record.headers) for record in records] == [HEADERS_AT_ONCE + 1]


def test_only_short_combinations_of_headers_are_remembered() -> None:
    fast = FastPath(REGISTRY, EVENT_MAX_BYTES, UUID)
    for headers in ((("a", b"x" * 600),), (("n" * 600, b""),), tuple((str(n), b"") for n in range(20))):
        assert fast.read(a_record(a_user_event(), headers=headers)) is not None
    assert not fast._headers
    assert fast.read(a_record(a_user_event(), headers=(("a", b"x"),))) is not None
    assert len(fast._headers) == 1
