"""A batch and its positions: however it is cut, the spans still add up."""

from collections import Counter

import pytest
from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from neon_projector.consumer.batch import Batch, Fetched, Part
from neon_projector.consumer.offsets.claim import OffsetRange
from neon_projector.consumer.offsets.fingerprint import fingerprint
from neon_projector.projections.contract.event import Ignored
from tests.support.factories import ARecord

ZERO, ONE = TopicPartition("users", 0), TopicPartition("users", 1)


def fetched(partition: TopicPartition, start: int, *offsets: int, next_offset: int) -> Fetched:
    records = [ARecord(b"12345").at(offset, partition.partition) for offset in offsets]
    return Fetched(partition, OffsetRange(start, next_offset, epoch=4), records)


def batch_of(*fetches: Fetched) -> Batch:
    batch = Batch(collected_seconds=1.5, trigger="count")
    for one in fetches:
        batch.add(one, [Ignored(record) for record in one.records])
    return batch


def offsets(batch: Batch) -> list[tuple[int, int]]:
    return [(one.record.partition, one.record.offset) for one in batch.decoded]


def lasts(batch: Batch) -> dict[TopicPartition, int]:
    return {p: part.last_record.offset for p, part in batch.parts.items() if part.last_record is not None}


def counted(batch: Batch) -> dict[TopicPartition, int]:
    return dict(Counter(TopicPartition("users", partition) for partition, _ in offsets(batch)))


def test_fetches_add_up() -> None:
    batch = batch_of(
        fetched(ZERO, 3, 3, 4, next_offset=5), fetched(ONE, 0, 0, next_offset=1), fetched(ZERO, 5, 7, next_offset=9)
    )
    assert batch.spans == {ZERO: OffsetRange(3, 9, 4), ONE: OffsetRange(0, 1, 4)}
    assert offsets(batch) == [(0, 3), (0, 4), (1, 0), (0, 7)]
    assert lasts(batch) == {ZERO: 7, ONE: 0}
    assert batch.numbers_of(batch.decoded) == {ZERO: 3, ONE: 1}
    assert batch.numbers_of(batch.decoded[1:3]) == {ZERO: 1, ONE: 1}
    assert not batch.numbers_of([])


def test_a_gap_between_fetches_is_a_bug() -> None:
    with pytest.raises(AssertionError, match="a gap"):
        batch_of(fetched(ZERO, 0, 0, next_offset=1), fetched(ZERO, 2, 2, next_offset=3))


def test_a_batch_of_markers_alone_is_something() -> None:
    assert not Batch()
    assert batch_of(fetched(ZERO, 3, next_offset=5))


def test_without_a_partition_the_others_stay() -> None:
    batch = batch_of(fetched(ZERO, 3, 3, next_offset=5), fetched(ONE, 0, 0, 1, next_offset=2))
    left = batch.without({ZERO})
    assert (left.spans, offsets(left), lasts(left)) == ({ONE: OffsetRange(0, 2, 4)}, [(1, 0), (1, 1)], {ONE: 1})
    assert left.numbers_of(left.decoded) == {ONE: 2}
    assert (left.collected_seconds, left.trigger) == (1.5, "count")
    assert not batch.without({ZERO, ONE})
    assert len(batch.decoded) == 3


def test_halves_are_cut_at_a_record() -> None:
    first, second = batch_of(fetched(ZERO, 0, 2, 5, 6, next_offset=9), fetched(ONE, 0, 1, next_offset=3)).halves()
    assert (offsets(first), first.spans) == ([(0, 2), (0, 5)], {ZERO: OffsetRange(0, 6, 4), ONE: OffsetRange(0, 1, 4)})
    assert (offsets(second), second.spans) == (
        [(0, 6), (1, 1)],
        {ZERO: OffsetRange(6, 9, 4), ONE: OffsetRange(1, 3, 4)},
    )


def test_a_partition_that_ends_in_the_first_half_is_done_there() -> None:
    first, second = batch_of(fetched(ZERO, 0, 0, next_offset=4), fetched(ONE, 0, 0, next_offset=1)).halves()
    assert first.spans == {ZERO: OffsetRange(0, 4, 4), ONE: OffsetRange(0, 0, 4)}
    assert second.spans == {ONE: OffsetRange(0, 1, 4)}


@given(gaps=st.lists(st.tuples(st.sampled_from([ZERO, ONE]), st.integers(1, 4)), min_size=2, max_size=20))
def test_cut_again_and_again_nothing_is_lost_and_no_position_jumps(gaps: list[tuple[TopicPartition, int]]) -> None:
    batch = Batch()
    for partition, gap in gaps:
        start = batch.spans[partition].next_offset if partition in batch.spans else 0
        one = fetched(partition, start, start + gap - 1, next_offset=start + gap)
        batch.add(one, [Ignored(record) for record in one.records])
    pieces = [batch]
    while any(len(piece.decoded) > 1 for piece in pieces):
        pieces = [half for p in pieces for half in (p.halves() if len(p.decoded) > 1 else (p,))]
    assert [pair for piece in pieces for pair in offsets(piece)] == offsets(batch)
    for piece in pieces:
        assert lasts(piece) == {TopicPartition("users", partition): at for partition, at in offsets(piece)}
        assert piece.numbers_of(piece.decoded) == counted(piece)
    positions = dict.fromkeys(batch.spans, 0)
    for piece in pieces:
        for partition, span in piece.spans.items():
            assert span.start == positions[partition] <= span.next_offset
            assert all(span.start <= at < span.next_offset for p, at in offsets(piece) if p == partition.partition)
            positions[partition] = span.next_offset
    assert positions == {partition: span.next_offset for partition, span in batch.spans.items()}


def test_each_part_tells_its_first_time_and_its_last_record() -> None:
    records = [ARecord(b"12345", timestamp=time).at(offset, 0) for offset, time in enumerate((70, 30, 50))]
    batch = Batch()
    for span, own in ((OffsetRange(0, 1, 4), records[:0]), (OffsetRange(1, 4, 4), records), (OffsetRange(4, 9, 4), [])):
        batch.add(Fetched(ZERO, span, own), [Ignored(record) for record in own])
    assert batch.parts == {ZERO: Part(OffsetRange(0, 9, 4), 3, 70, records[-1])}
    first, second = batch.halves()
    assert [half.parts[ZERO].first_timestamp_ms for half in (first, second)] == [70, 30]
    assert batch.fingerprints == second.fingerprints == {ZERO: fingerprint(records[-1])}
    assert first.fingerprints == {ZERO: fingerprint(records[0])}
    assert not batch_of(fetched(ZERO, 3, next_offset=5)).fingerprints
