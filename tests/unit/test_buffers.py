"""What is read is handed over in the order of time, whole, and each partition's records in their own order."""

from collections import defaultdict
from dataclasses import replace
from itertools import pairwise

import pytest
from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from neon_projector.consumer.batch import Fetched
from neon_projector.consumer.batching.buffer import ANY_TIME, NOTHING, Buffered
from neon_projector.consumer.batching.buffers import Buffers
from neon_projector.consumer.batching.divide import TOGETHER, Portion, divide, parent_depths
from neon_projector.consumer.offsets.claim import OffsetRange
from neon_projector.projections.registry import REGISTRY
from tests.support.factories import ARecord

USERS, OTHERS, DOCUMENTS = TopicPartition("users", 0), TopicPartition("users", 1), TopicPartition("documents", 0)
MANY = 1_000
DEPTHS = {"users": 0, "documents": 1}


def part(partition: TopicPartition, start: int, *times: int, markers: int = 0, epoch: int = 1) -> Fetched:
    """Records at these times, of ten bytes each, with markers behind them."""
    records = [
        ARecord(b"x" * 10, topic=partition.topic, partition=partition.partition, offset=start + n, timestamp=time)
        for n, time in enumerate(times)
    ]
    span = OffsetRange(start, start + len(times) + markers, epoch)
    return Fetched(partition, span, records)


def filled(*parts: Fetched) -> Buffers:
    buffers = Buffers()
    for one in parts:
        buffers.add(one)
    return buffers


def times(parts: list[Fetched]) -> dict[TopicPartition, list[int]]:
    return {one.partition: [r.timestamp for r in one.records] for one in parts}


def test_what_is_ahead_waits_for_what_is_behind() -> None:
    buffers = filled(part(USERS, 0, 1, 2, 3), part(DOCUMENTS, 0, 2, 5, 9))
    watermark = buffers.watermark([USERS, DOCUMENTS])[0]
    assert watermark == 3
    assert times(buffers.take(watermark, MANY, MANY, MANY)) == {USERS: [1, 2, 3], DOCUMENTS: [2]}
    assert buffers.oldest() == {DOCUMENTS: 5}


def test_nothing_is_handed_over_while_one_that_is_behind_brings_nothing() -> None:
    buffers = filled(part(DOCUMENTS, 0, 2, 5))
    assert not buffers.any(buffers.watermark([USERS])[0])
    assert buffers.any(ANY_TIME)


def test_it_shows_when_one_of_those_that_hold_the_others_back_has_moved_on() -> None:
    buffers = filled(part(DOCUMENTS, 0, 2, 5))
    assert buffers.watermark([USERS, OTHERS, DOCUMENTS]) == (0, 2)
    buffers.add(part(USERS, 0, 1))
    assert buffers.watermark([USERS, OTHERS, DOCUMENTS]) == (0, 1)
    buffers.add(part(OTHERS, 0, 3))
    assert buffers.watermark([USERS, OTHERS, DOCUMENTS]) == (1, 1)


def test_one_at_its_end_holds_nobody_back() -> None:
    buffers = filled(part(USERS, 0, 1), part(DOCUMENTS, 0, 2, 5))
    assert times(buffers.take(buffers.watermark([])[0], MANY, MANY, MANY)) == {USERS: [1], DOCUMENTS: [2, 5]}


def test_the_earliest_come_first_where_not_all_fit() -> None:
    buffers = filled(part(USERS, 0, 1, 4, 6), part(DOCUMENTS, 0, 2, 3, 5))
    assert times(buffers.take(ANY_TIME, 3, MANY, MANY)) == {USERS: [1], DOCUMENTS: [2, 3]}
    assert times(buffers.take(ANY_TIME, MANY, 25, MANY)) == {USERS: [4], DOCUMENTS: [5]}
    assert times(buffers.take(ANY_TIME, MANY, 1, MANY)) == {USERS: [6]}


def test_of_many_at_one_time_some_are_left() -> None:
    buffers = filled(part(USERS, 0, 7, 7, 7), part(DOCUMENTS, 0, 7, 7))
    assert times(buffers.take(ANY_TIME, 4, MANY, 2)) == {USERS: [7, 7], DOCUMENTS: [7, 7]}
    assert times(buffers.take(ANY_TIME, 4, MANY, 2)) == {USERS: [7]}


def test_markers_alone_are_handed_over_and_those_behind_a_record_go_with_it() -> None:
    buffers = filled(part(USERS, 5, markers=2), part(DOCUMENTS, 0, 1, 2, markers=3))
    assert buffers
    assert buffers.any(0)
    first = buffers.take(1, MANY, MANY, MANY)
    assert [one.span for one in first] == [OffsetRange(5, 7, 1), OffsetRange(0, 1, 1)]
    assert [one.span for one in buffers.take(2, MANY, MANY, MANY)] == [OffsetRange(1, 5, 1)]
    assert not buffers
    assert not buffers.any(ANY_TIME)


def test_another_epoch_starts_with_an_empty_buffer() -> None:
    buffers = filled(part(USERS, 0, 1, 2), part(USERS, 0, 1, epoch=2))
    (only,) = buffers.take(ANY_TIME, MANY, MANY, MANY)
    assert only.span == OffsetRange(0, 1, 2)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.lists(st.integers(0, 50), max_size=8), st.integers(0, 2)), max_size=12),
    st.integers(1, 9),
)
def test_however_it_is_cut_nothing_is_lost_and_no_position_jumps(
    fetches: list[tuple[int, list[int], int]], most: int
) -> None:
    buffers, given_, ends = (
        Buffers(),
        defaultdict[TopicPartition, list[int]](list),
        defaultdict[TopicPartition, int](int),
    )
    for number, at, markers in fetches:
        partition = TopicPartition("users", number)
        one = part(partition, ends[partition], *at, markers=markers)
        ends[partition] = one.span.next_offset
        given_[partition] += at
        buffers.add(one)
    taken, spans = defaultdict[TopicPartition, list[int]](list), defaultdict[TopicPartition, list[OffsetRange]](list)
    while buffers.any(ANY_TIME):
        parts = buffers.take(ANY_TIME, most, MANY, most)
        assert 0 < sum(len(one.records) for one in parts) <= most or all(not one.records for one in parts)
        for one in parts:
            taken[one.partition] += [r.timestamp for r in one.records]
            spans[one.partition].append(one.span)
    assert {p: at for p, at in taken.items() if at} == {p: at for p, at in given_.items() if at}
    for partition, own in spans.items():
        assert (own[0].start, own[-1].next_offset) == (0, ends[partition])
        assert all(before.next_offset == after.start for before, after in pairwise(own))


def test_parents_come_before_children_and_no_partition_is_in_two_batches() -> None:
    assert parent_depths(REGISTRY, {"USERS_TOPIC": "users", "DOCUMENTS_TOPIC": "documents"}) == DEPTHS
    parts = [part(TopicPartition(topic, n), 0, *range(1_600)) for topic in ("documents", "users") for n in range(4)]
    portions = divide(parts, DEPTHS, 5_000, at_once=2)
    assert [sorted({one.partition.topic for one in p}) for p in portions] == [["users"]] * 2 + [["documents"]] * 2
    assert sorted(one.partition for p in portions for one in p) == sorted(one.partition for one in parts)
    assert sizes(portions) == [3_200] * 4


def test_portions_are_about_equal_and_not_too_large() -> None:
    many = (1_800, 1_000, 1_000, 800, 600)
    parts = [part(TopicPartition("users", n), 0, *range(number)) for n, number in enumerate(many)]
    assert sizes(divide(parts, DEPTHS, 9_000, at_once=4)) == [3_400, 1_800]
    assert sizes(divide(parts[:3], DEPTHS, 9_000, at_once=4)) == [3_800]
    assert sizes(divide(parts, DEPTHS, 9_000, at_once=1)) == [5_200]
    assert sizes(divide(parts, DEPTHS, 2_000, at_once=4)) == [1_800, 600, 1_000, 1_800]
    assert sizes(divide(parts, DEPTHS, 1_600, at_once=1)) == [1_800, 1_000, 1_000, 1_400]


@pytest.mark.parametrize("apart", [1, 2, 3, 4], ids=lambda n: f"of {n} instances")
def test_many_partitions_are_divided_alike_however_much_there_is_of_each(apart: int) -> None:
    """Else each batch would wait for several of those before it."""
    found = set()
    for seed in range(5):
        numbers = range(apart - 1, 64 * apart, apart)
        parts = [part(TopicPartition("users", n), 0, *range(200 + n // apart * seed * 7 % 40)) for n in numbers]
        portions = divide(parts, DEPTHS, 5_000, at_once=8)
        assert max(sizes(portions)) < 1.1 * min(sizes(portions))
        found |= {frozenset(one.partition for one in portion) for portion in portions}
    assert len(found) == 4


def test_large_values_of_many_partitions_go_in_smaller_batches() -> None:
    parts = [part(TopicPartition("users", n), 0, *range(100)) for n in range(64)]
    assert sizes(divide(parts, DEPTHS, 5_000, at_once=8)) == [3_200] * 2
    large = [replace(one, size=100 * 1_000) for one in parts]
    assert sizes(divide(large, DEPTHS, 5_000, at_once=8)) == [1_600] * 4


def test_what_is_taken_tells_its_bytes() -> None:
    buffers = filled(part(USERS, 0, 1, 2, 3), part(DOCUMENTS, 0, 2, 5, 9))
    assert [one.size for one in buffers.take(3, MANY, MANY, MANY)] == [30, 10]


def test_what_was_last_and_how_it_came_is_known_also_when_it_is_handed_over() -> None:
    buffers = filled(part(USERS, 0, *range(100, 120)), part(USERS, 20, *range(124, 164, 4)))
    assert buffers.buffered([USERS, DOCUMENTS]) == {USERS: Buffered(30, 300, 160, 10 / 41, 10.0), DOCUMENTS: NOTHING}
    buffers.take(ANY_TIME, MANY, MANY, MANY)
    assert buffers.buffered([USERS]) == {USERS: Buffered(0, 0, 160, 10 / 41, 10.0)}
    buffers.drop([USERS])
    assert buffers.buffered([USERS]) == {USERS: NOTHING}


def test_a_wrong_clock_is_forgotten_with_its_record() -> None:
    buffers = filled(part(USERS, 0, 1, 9_000_000), part(DOCUMENTS, 0, 3, 4))
    buffers.add(part(USERS, 2, 5))
    assert times(buffers.take(4, MANY, MANY, MANY)) == {USERS: [1], DOCUMENTS: [3, 4]}
    buffers.take(ANY_TIME, MANY, MANY, MANY)
    buffers.add(part(USERS, 3, 6, 7))
    assert buffers.buffered([USERS])[USERS].last_timestamp_ms == 7
    assert times(buffers.take(6, MANY, MANY, MANY)) == {USERS: [6]}


def test_no_batch_has_more_records_than_it_may() -> None:
    parts = [part(DOCUMENTS, 0, *range(90)), part(USERS, 0, *range(100)), part(OTHERS, 0, *range(80))]
    assert sizes(divide(parts, DEPTHS, 100, at_once=8)) == [100, 80, 90]


def sizes(portions: list[Portion]) -> list[int]:
    return [sum(len(one.records) for one in portion) for portion in portions]


def test_few_records_are_one_batch() -> None:
    parts = [part(DOCUMENTS, 0, *range(TOGETHER // 2)), part(USERS, 0, *range(TOGETHER // 2))]
    assert divide(parts, DEPTHS, TOGETHER, at_once=4) == [parts]
    assert divide([], DEPTHS, TOGETHER, at_once=4) == []
