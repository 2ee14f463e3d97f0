"""The fuse: blown by what is rejected in a row, of one topic, by all batches under way together."""

import pytest
from aiokafka import TopicPartition

from neon_projector.consumer.apply.fuse import Fuse
from neon_projector.consumer.batch import Batch, Fetched
from neon_projector.consumer.errors import FuseBlown
from neon_projector.consumer.offsets.claim import OffsetRange
from neon_projector.projections.contract.event import Decoded, Ignored, Rejection
from neon_projector.projections.contract.outcome import Reason
from tests.support.factories import ARecord

BAD, GOOD = "x", "."


def a_batch(row: str, topic: str = "users", source: str | None = "/shop") -> tuple[Batch, list[Rejection]]:
    """Records as they are drawn: `x` for a rejected one."""
    decoded: list[Decoded] = [
        Rejection(ARecord(b"?", topic=topic), Reason.INVALID_JSON, "no JSON", source=source)
        if one == BAD
        else Ignored(ARecord(b"{}", topic=topic))
        for one in row
    ]
    batch = Batch()
    records = [one.record for one in decoded]
    batch.add(Fetched(TopicPartition(topic, 0), OffsetRange(0, len(records), 1), records), decoded)
    return batch, [one for one in decoded if isinstance(one, Rejection)]


def counted(fuse: Fuse, row: str, topic: str = "users") -> Batch:
    """A batch that passes."""
    batch, rejections = a_batch(row, topic)
    fuse.judge(batch, rejections)
    return batch


def blown_by(fuse: Fuse, row: str, topic: str = "users") -> bool:
    """Whether such a batch blows it; if not, it is given back."""
    batch, rejections = a_batch(row, topic)
    try:
        fuse.judge(batch, rejections)
    except FuseBlown:
        return True
    fuse.give_back(batch)
    return False


def a_fuse(rejected: int = 0) -> Fuse:
    """Nine of ten blow it; so many are rejected already."""
    fuse = Fuse(min_records=10, ratio=0.9)
    counted(fuse, BAD * rejected)
    return fuse


def test_it_blows_when_enough_are_rejected_and_not_before() -> None:
    assert not blown_by(a_fuse(), 8 * BAD)
    assert not blown_by(a_fuse(rejected=8), BAD)
    assert blown_by(a_fuse(rejected=8), 2 * BAD)


def test_what_is_good_calms_it() -> None:
    fuse = a_fuse(rejected=8)
    counted(fuse, 2 * GOOD)
    assert not blown_by(fuse, 8 * BAD)
    assert blown_by(fuse, 9 * BAD)


def test_only_the_last_records_of_a_large_batch_count() -> None:
    fuse = a_fuse(rejected=8)
    counted(fuse, 1_000 * GOOD)
    assert not blown_by(fuse, 8 * BAD)
    counted(fuse, 8 * BAD + 5 * GOOD)
    assert not blown_by(fuse, 4 * BAD)


def test_a_flood_in_the_middle_of_a_batch_is_found() -> None:
    assert blown_by(a_fuse(), 50 * GOOD + 10 * BAD + 50 * GOOD)
    assert not blown_by(a_fuse(), 50 * (2 * GOOD + 7 * BAD))


@pytest.mark.parametrize("running", [2, 8, 16])
def test_of_all_batches_under_way_one_window_gets_through(running: int) -> None:
    fuse = a_fuse()
    batches = [a_batch(8 * BAD) for _ in range(running)]
    passed = 0
    for batch, rejections in batches:
        try:
            fuse.judge(batch, rejections)
            passed += len(rejections)
        except FuseBlown:
            pass
    assert passed == 8


def test_what_is_not_committed_is_given_back_and_what_is_tried_again_counts_once() -> None:
    fuse = a_fuse()
    batch, rejections = a_batch(8 * BAD)
    for _ in range(3):
        fuse.judge(batch, rejections)
    assert fuse.ratios() == {"users": 1.0}
    fuse.give_back(batch)
    assert fuse.ratios() == {}
    assert not blown_by(fuse, 8 * BAD)


def test_halves_of_a_batch_are_batches_of_their_own() -> None:
    whole, _ = a_batch(16 * BAD)
    fuse = a_fuse()
    first, second = whole.halves()
    fuse.judge(first, [one for one in first.decoded if isinstance(one, Rejection)])
    with pytest.raises(FuseBlown):
        fuse.judge(second, [one for one in second.decoded if isinstance(one, Rejection)])


def test_each_topic_has_its_own() -> None:
    fuse = a_fuse(rejected=8)
    counted(fuse, 100 * GOOD, "documents")
    assert not blown_by(fuse, 2 * BAD, "documents")
    assert blown_by(fuse, 2 * BAD)
    assert fuse.ratios() == {"users": 1.0, "documents": 0.0}


def test_what_was_rejected_before_counts_as_nothing() -> None:
    fuse = a_fuse(rejected=8)
    batch, rejections = a_batch(100 * BAD)
    fuse.judge(batch, [], rejections)
    assert blown_by(fuse, 2 * BAD)


def test_accepted_it_does_not_blow_until_the_time_is_over_and_then_counts_from_the_start() -> None:
    fuse = a_fuse()
    fuse.accept("users", 600)
    counted(fuse, 100 * BAD)
    counted(fuse, 100 * GOOD)
    counted(fuse, 100 * BAD)
    fuse.accept("documents", 600)
    assert not blown_by(fuse, 100 * BAD)
    fuse.accept("users", 0)
    assert not blown_by(fuse, 8 * BAD)
    assert blown_by(fuse, 10 * BAD)


def test_it_says_what_most_of_them_are_and_who_sends_them() -> None:
    fuse = a_fuse(rejected=8)
    batch, rejections = a_batch(5 * BAD, source="https://ada:lovelace@shop.example/orders?token=hunter2")
    with pytest.raises(FuseBlown) as blown:
        fuse.judge(batch, rejections)
    error = blown.value
    assert (error.topic, error.rejected, error.records) == ("users", 10, 10)
    assert (error.reason, error.source) == ("invalid_json", "/shop")


def test_the_one_for_what_is_read_again_never_blows_and_keeps_nothing() -> None:
    fuse = Fuse.never()
    for _ in range(3):
        counted(fuse, 5_000 * BAD)
    assert dict(fuse.ratios()) == {"users": 1.0}
    assert fuse._windows["users"].records == 1
