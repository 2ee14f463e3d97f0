"""Batches without a wanted record are left out, and nothing else changes: offsets, and what is damaged."""

import random
import struct

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from neon_projector.consumer.kafka.light_records import LightRecords
from neon_projector.consumer.kafka.record_batches import RawRecords, Unreadable
from neon_projector.consumer.kafka.unpack import unpack_within
from tests.support.raw_kafka import GZIP, RawRecord, a_batch

PARTITION = TopicPartition("users", 3)
WANTED = b"wanted"


def wanted(data: bytes) -> bool:
    return WANTED in data


def at(offset: int, batch: bytes) -> bytes:
    return struct.pack(">q", offset) + batch[8:]


def read(data: bytes, offset: int = 0, aborted: list[tuple[int, int]] | None = None) -> LightRecords:
    return LightRecords(PARTITION, RawRecords(data), aborted, offset, wanted, None, True, READ_COMMITTED)


def log(*batches: tuple[bytes, int, int]) -> bytes:
    """Batches of some records, one of which has the first one's value: (value, records, codec)."""
    pieces, offset = [], 0
    for value, number, codec in batches:
        builder = DefaultRecordBatchBuilder(2, codec, False, -1, 0, 0, 1_000_000)
        for n in range(number):
            builder.append(n, 1_700_000_000_000, None, b"other" * 20 if n else value, [])
        pieces.append(at(offset, bytes(builder.build())))
        offset += number
    return b"".join(pieces)


@pytest.mark.parametrize("codec", range(5))
def test_only_batches_with_a_wanted_record_are_unpacked(codec: int) -> None:
    unpack_within(1_000_000)
    records = read(log((b"x", 3, codec), (WANTED, 2, codec), (b"x", 4, 0), (b"x", 1, GZIP)))
    assert [record.offset for record in records.take(None)] == [3, 4]
    assert records.next_fetch_offset == 10
    nothing = read(log((b"x", 3, codec), (b"x", 4, codec)))
    assert (nothing.take(5_000), nothing.next_fetch_offset) == ([], 7)
    middle = read(log((WANTED, 3, codec), (b"x", 4, codec)), offset=1)
    assert ([record.offset for record in middle.take(None)], middle.next_fetch_offset) == ([1, 2], 7)


def test_however_many_are_asked_for_the_same_are_given() -> None:
    rng = random.Random(5)
    for _ in range(50):
        batches = [(rng.choice((b"x", WANTED)), rng.randint(1, 3), rng.choice((0, GZIP))) for _ in range(8)]
        data = log(*batches)
        records, taken = read(data + data[:65]), []  # a broker cuts the last batch
        while piece := records.take(rng.randint(1, 4)):
            taken += [record.offset for record in piece]
        starts = [sum(n for _, n, _ in batches[:k]) for k in range(len(batches))]
        own = [s + i for s, (value, n, _) in zip(starts, batches, strict=True) if value == WANTED for i in range(n)]
        assert taken == own
        assert records.next_fetch_offset == sum(n for _, n, _ in batches)


def test_a_damaged_batch_is_named_where_it_stands_if_it_may_have_a_wanted_record() -> None:
    before, after = log((b"x", 3, 0)), at(5, a_batch([RawRecord(WANTED)]))
    damaged = bytearray(at(3, a_batch([RawRecord(WANTED), RawRecord(b"other")])))
    damaged[-2] ^= 1
    records = read(before + damaged + after)
    assert (records.take(None), records.next_fetch_offset) == ([], 3)
    with pytest.raises(Unreadable) as told:
        read(bytes(damaged) + after, offset=3).take(None)
    assert (told.value.position, told.value.behind) == (3, 5)


def test_what_makes_no_sense_at_the_beginning_is_named_and_later_ends_the_fetch() -> None:
    for nonsense in (b"\0" * 100, b"\xff" * 100, log((b"x", 1, 0))[:16] + b"\1" + log((b"x", 1, 0))[17:]):
        records = read(log((b"x", 3, 0)) + nonsense)
        assert (records.take(None), records.next_fetch_offset) == ([], 3)
        with pytest.raises(Unreadable):
            read(nonsense, offset=3).take(None)


def test_a_compressed_batch_that_can_not_be_unpacked_is_named() -> None:
    body = bytearray(a_batch([RawRecord(b"x" * 100)], 7))  # no such codec
    with pytest.raises(Unreadable):
        read(bytes(body)).take(None)
