"""What the client can't read is told from what it reads too strictly, and names the offsets."""

import struct

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from hypothesis import given
from hypothesis import strategies as st

from neon_projector.consumer.kafka.light_records import LightRecords
from neon_projector.consumer.kafka.record_batches import RawRecords, Unreadable
from tests.support.raw_kafka import GZIP, RawRecord, a_batch

PARTITION = TopicPartition("users", 3)
LATIN = (b"caf\xe9", b"1")


def at(offset: int, batch: bytes) -> bytes:
    """The batch as a broker has it, which fills in where it begins."""
    return struct.pack(">q", offset) + batch[8:]


def read(data: bytes, offset: int = 0, kind: type[PartitionRecords] = LightRecords) -> PartitionRecords:
    return kind(PARTITION, RawRecords(data), None, offset, None, None, True, READ_COMMITTED)


def values(*numbers: int) -> list[RawRecord]:
    return [RawRecord(b"%d" % number, b"key", [(b"a", b"b"), (b"null", None)]) for number in numbers]


BAD_NAME = RawRecord(b"1", b"key", [(b"a", b"b"), LATIN])


@pytest.mark.parametrize("codec", [0, GZIP])
def test_a_header_whose_name_is_no_utf_8_is_read_with_all_around_it(codec: int) -> None:
    batch = a_batch([*values(0), BAD_NAME, *values(2)], codec)
    data = at(0, a_batch(values(7))) + at(1, batch) + at(4, a_batch([BAD_NAME], codec)) + at(5, a_batch(values(5)))
    records = read(data)
    found = list(records)
    assert [record.offset for record in found] == [0, 1, 2, 3, 4, 5]
    assert found[2].headers == (("a", b"b"), ("caf\udce9", b"1"))
    assert [record.value for record in found[1:4]] == [b"0", b"1", b"2"]
    assert found[3].headers == found[0].headers == (("a", b"b"), ("null", None))
    assert records.next_fetch_offset == 6


@pytest.mark.parametrize("start", [1, 2, 3])
def test_it_is_read_from_the_middle_of_its_batch_too(start: int) -> None:
    records = read(at(0, a_batch([*values(0), BAD_NAME, *values(2, 3)])), start)
    assert [record.offset for record in records] == list(range(start, 4))


def test_taken_one_by_one_none_is_lost() -> None:
    records, taken = read(at(0, a_batch([*values(0), BAD_NAME, *values(2)]))), []
    while (one := next(iter(records), None)) is not None:
        taken.append(one.offset)
    assert taken == [0, 1, 2]


GOOD = at(0, a_batch(values(0, 1)))
DAMAGED = at(2, a_batch(values(2, 3, 4)))
KINDS = {
    "a flipped bit": DAMAGED[:-1] + bytes([DAMAGED[-1] ^ 1]),
    "a flipped bit in the CRC": DAMAGED[:17] + bytes([DAMAGED[17] ^ 1]) + DAMAGED[18:],
    "an unknown codec": at(2, a_batch(values(2, 3, 4), 7)),
    "a codec that does not fit": at(2, a_batch(values(2, 3, 4), 4)),
    "garbage behind what is compressed": at(2, a_batch(values(2, 3, 4), GZIP, b"garbage")),
    "fewer records than are told": at(2, a_batch(values(2, 3, 4))[:-9]),
}


@pytest.mark.parametrize("damaged", KINDS.values(), ids=KINDS)
def test_what_comes_before_a_damaged_batch_is_given_first(damaged: bytes) -> None:
    if len(damaged) < len(DAMAGED) and damaged[:8] == DAMAGED[:8]:
        damaged = damaged[:8] + struct.pack(">i", len(damaged) - 12) + damaged[12:]
    data = GOOD + damaged + at(5, a_batch(values(5)))
    records = read(data)
    assert [record.offset for record in records] == [0, 1]
    assert records.next_fetch_offset == 2
    with pytest.raises(Unreadable) as error:
        list(read(data[len(GOOD) :], 2))
    assert (error.value.partition, error.value.position, error.value.behind) == (PARTITION, 2, 5)
    assert [record.offset for record in read(data[len(GOOD) + len(damaged) :], 5)] == [5]


@pytest.mark.parametrize("length", [-1, 0, 13, 2**31 - 1])
def test_a_length_that_can_t_be_is_no_reason_to_step_over_an_offset(length: int) -> None:
    data = DAMAGED[:8] + struct.pack(">i", length) + DAMAGED[12:]
    assert RawRecords(data).has_next(), "else the client counts the offset as read"
    with pytest.raises(Unreadable) as error:
        list(read(data, 2))
    assert error.value.position == 2
    assert error.value.behind in (None, 5)


@given(place=st.integers(12, len(DAMAGED) - 1), byte=st.integers(1, 255))
def test_wherever_a_byte_is_changed_it_is_unreadable_or_of_no_account(place: int, byte: int) -> None:
    data = bytearray(GOOD + DAMAGED)
    data[len(GOOD) + place] ^= byte
    assert [record.offset for record in read(bytes(data))][:2] == [0, 1]
    assert outcome(bytes(data[len(GOOD) :])) in ([2, 3, 4], "unreadable")
    assert outcome(DAMAGED) == [2, 3, 4]
    assert outcome(KINDS["a flipped bit"]) == "unreadable"


def outcome(data: bytes) -> object:
    try:
        return [record.offset for record in read(data, 2)]
    except Unreadable as error:
        return "unreadable" if error.position == 2 and (error.behind or 3) > 2 else error
