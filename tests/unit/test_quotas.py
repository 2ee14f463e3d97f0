"""Who may read ahead, and how far."""

from aiokafka import TopicPartition

from neon_projector.consumer.batch import Fetched
from neon_projector.consumer.batching.buffer import NOTHING, Buffered
from neon_projector.consumer.batching.buffers import Buffers
from neon_projector.consumer.batching.quotas import quotas
from neon_projector.consumer.offsets.claim import OffsetRange
from tests.support.factories import ARecord

USERS, MORE_USERS, DOCUMENTS, MORE_DOCUMENTS = (
    TopicPartition(topic, number) for topic in ("users", "documents") for number in (0, 1)
)
SMALL = 10**9


def test_where_nothing_is_held_each_may_take_its_equal_part_of_a_quarter() -> None:
    buffered = dict.fromkeys((USERS, MORE_USERS, DOCUMENTS, MORE_DOCUMENTS), NOTHING)
    assert quotas(buffered, buffered.keys(), 8_000, SMALL) == dict.fromkeys(buffered, 501)


def test_half_of_the_rest_brings_all_to_one_time() -> None:
    buffered = {
        DOCUMENTS: Buffered(500, 0, 900, records_per_ms=1.0),
        MORE_DOCUMENTS: Buffered(500, 0, 1_000, records_per_ms=1.0),
        USERS: Buffered(400, 0, 100, records_per_ms=2.0),
        MORE_USERS: Buffered(600, 0, 90, records_per_ms=1.0),
    }
    more = {MORE_USERS: 2_310, USERS: 4_600, DOCUMENTS: 1_500, MORE_DOCUMENTS: 1_400}
    assert list(quotas(buffered, buffered.keys(), 21_620, SMALL).items()) == list(more.items())
    assert sum(more.values()) == (21_620 - 2_000) // 2
    assert {one.last_timestamp_ms + more[p] / one.records_per_ms for p, one in buffered.items()} == {2_400}


def test_those_that_are_ahead_of_that_time_wait() -> None:
    buffered = {
        USERS: Buffered(600, 0, 1_100, records_per_ms=1.0),
        DOCUMENTS: Buffered(600, 0, 9_000, records_per_ms=1.0),
    }
    assert quotas(buffered, buffered.keys(), 4_000, SMALL) == {USERS: 1_400}


def test_as_long_as_nothing_is_known_of_one_that_is_behind_the_others_wait() -> None:
    buffered = {
        USERS: NOTHING,
        MORE_USERS: Buffered(501, 0, 90),
        DOCUMENTS: Buffered(501, 0, 900),
        MORE_DOCUMENTS: NOTHING,
    }
    assert quotas(buffered, buffered.keys(), 8_000, SMALL) == {USERS: 501, MORE_DOCUMENTS: 501}
    buffered |= {p: Buffered(0, 0, last, 1.0) for p, last in ((USERS, 80), (MORE_USERS, 81), (MORE_DOCUMENTS, 85))}
    assert quotas(buffered, buffered.keys(), 8_000, SMALL)[MORE_USERS] > 501, (
        "nothing is here, but it is known what was last"
    )


def test_a_burst_or_a_pause_misleads_nobody_for_long() -> None:
    """One takes four equal parts at most: else it would fill the room. And an equal part of a quarter at least."""
    bursting, pausing, usual = USERS, MORE_USERS, DOCUMENTS
    buffered = {
        bursting: Buffered(600, 0, 100, 500.0),
        pausing: Buffered(600, 0, 100, 0.001),
        usual: Buffered(600, 0, 100, 1.0),
    }
    buffered |= {TopicPartition("more", number): Buffered(600, 0, 100, 1.0) for number in range(5)}
    may, left = quotas(buffered, buffered.keys(), 16_000, SMALL), 16_000 - 8 * 600
    assert (may[bursting], may[pausing]) == (4 * (left // 2) // 8, 501)


def test_slices_are_nearly_all_that_is_held() -> None:
    """However many partitions there are, and however much faster one goes than another."""
    for number in (2, 8, 64):
        buffers = Buffers()
        partitions = [TopicPartition("users", n) for n in range(number)]
        offsets = dict.fromkeys(partitions, 0)
        for turn in range(8):
            while may := quotas(buffers.buffered(partitions), set(partitions), 8_000, SMALL):
                for partition, more in may.items():
                    buffers.add(steady(partition, offsets[partition], more))
                    offsets[partition] += more
            buffered = sum(one.records for one in buffers.buffered(partitions).values())
            watermark, _ = buffers.watermark(partitions)
            taken = sum(len(one.records) for one in buffers.take(watermark, buffered, SMALL, buffered))
            assert turn == 0 or taken >= 0.8 * 8_000, (number, turn, taken, buffered)


def steady(partition: TopicPartition, start: int, number: int) -> Fetched:
    """The next records, 1 to 9 ms apart: each partition in its own way."""
    apart = 1 + partition.partition * 5 % 9
    records = [
        ARecord(None, partition=partition.partition, offset=offset, timestamp=1_000 + offset * apart)
        for offset in range(start, start + number)
    ]
    return Fetched(partition, OffsetRange(start, start + number, 1), records)


def test_those_at_their_ends_are_not_asked_in_a_backlog_unless_it_is_time_to() -> None:
    for records, asked in ((2_000, {USERS, DOCUMENTS}), (2_001, {DOCUMENTS})):
        buffered = {USERS: NOTHING, DOCUMENTS: Buffered(records, 0, 100)}
        assert quotas(buffered, {DOCUMENTS}, 8_000, SMALL).keys() == asked
        assert quotas(buffered, {DOCUMENTS}, 8_000, SMALL, all_ends=True).keys() == {USERS, DOCUMENTS}


def test_when_all_is_full_only_those_may_read_of_which_little_is_here() -> None:
    buffered = {USERS: Buffered(7_900, 0, 500), DOCUMENTS: Buffered(100, 0, 100)}
    assert quotas(buffered, buffered.keys(), 8_000, SMALL) == {DOCUMENTS: 901}
    buffered = {USERS: Buffered(7_600, 0, 500, 1.0), DOCUMENTS: Buffered(300, 0, 100, 1.0)}
    assert not quotas(buffered, buffered.keys(), 8_000, SMALL)


def test_nothing_is_read_in_small_pieces() -> None:
    for records, more in ((7_499, {DOCUMENTS: 501 // 2}), (7_500, {})):
        buffered = {USERS: Buffered(records - 300, 0, 5_000, 1.0), DOCUMENTS: Buffered(300, 0, 100, 1.0)}
        assert quotas(buffered, buffered.keys(), 8_000, SMALL) == more


def test_large_values_leave_room_for_few() -> None:
    buffered = {USERS: Buffered(5, 5_000_000, 100, 0.1), DOCUMENTS: Buffered(5, 5_000_000, 200, 0.1)}
    assert quotas(buffered, buffered.keys(), 8_000, 16_000_000) == {USERS: 3}
    buffered = {
        USERS: Buffered(0, 0, 100, 0.1, bytes_per_record=1_000_000),
        DOCUMENTS: Buffered(0, 0, 100, 0.1, bytes_per_record=1_000),
    }
    assert sum(quotas(buffered, buffered.keys(), 8_000, 16_000_000).values()) <= 16, (
        "nothing is here, but it is known how large"
    )


def test_one_partition_may_take_all_if_it_is_behind() -> None:
    assert quotas({USERS: Buffered(10, 1_000, 1, 1.0)}, {USERS}, 8_000, SMALL) == {USERS: 7_990 // 2}
    assert quotas({USERS: Buffered(10, 1_000, 1, 1.0)}, set(), 8_000, SMALL) == {USERS: 1_991}


def test_those_at_their_ends_take_nothing_from_those_behind() -> None:
    buffered = {USERS: NOTHING, MORE_USERS: NOTHING}
    buffered |= {DOCUMENTS: Buffered(3_000, 0, 100, 1.0), MORE_DOCUMENTS: Buffered(3_000, 0, 9_000, 1.0)}
    may = quotas(buffered, {DOCUMENTS, MORE_DOCUMENTS}, 8_000, SMALL)
    assert may[DOCUMENTS] == 1_000
    assert MORE_DOCUMENTS not in may


def test_many_partitions_that_are_read_at_once_are_bounded_together() -> None:
    """Nobody is behind for long, and nothing is written: what comes is read, until there is no more room."""
    partitions = [TopicPartition("users", number) for number in range(64)]
    buffered = dict.fromkeys(partitions, NOTHING)
    for turn in range(3):
        for partition in partitions:
            more = quotas(buffered, {partition}, 8_000, SMALL).get(partition, 0)
            buffered[partition] = Buffered(buffered[partition].records + more, 0, turn, 1.0)
    assert 7_500 <= sum(one.records for one in buffered.values()) <= 8_000 * 1.5 + 64


def test_the_example_of_three_partitions() -> None:
    """As the docstring of `quotas` tells it."""
    a, b, c = (TopicPartition("users", number) for number in range(3))
    buffered = {
        a: Buffered(last_timestamp_ms=100, records_per_ms=10),
        b: Buffered(last_timestamp_ms=120, records_per_ms=10),
        c: Buffered(records=200, last_timestamp_ms=1_000, records_per_ms=10),
    }
    assert quotas(buffered, {a, b, c}, max_records=1_200, max_bytes=10**9) == {a: 350, b: 150}
