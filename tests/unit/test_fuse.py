"""The fuse: blown by what is rejected in a row, calmed by what is not."""

from consumer.fuse import Fuse
from projections.event import Decoded, Ignored, Rejection
from projections.outcome import Reason
from tests.support.factories import ARecord


def bad(number: int) -> list[Rejection]:
    return [Rejection(ARecord(b"?"), Reason.INVALID_JSON, "no JSON") for _ in range(number)]


def good(number: int) -> list[Decoded]:
    return [Ignored(ARecord(b"{}")) for _ in range(number)]


def blown_by(fuse: Fuse, number: int) -> bool:
    """By so many records more that are all rejected."""
    rejected = bad(number)
    return fuse.blows(rejected, rejected)


def a_fuse(rejected: int = 0) -> Fuse:
    """Nine of ten blow it; so many are rejected already."""
    fuse = Fuse(min_records=10, ratio=0.9)
    fuse.count(records := bad(rejected), records)
    return fuse


def test_it_blows_when_enough_are_rejected_and_not_before() -> None:
    assert not blown_by(a_fuse(), 8)
    assert not blown_by(a_fuse(rejected=8), 1)
    assert blown_by(a_fuse(rejected=8), 2)


def test_what_is_good_calms_it() -> None:
    fuse = a_fuse(rejected=8)
    fuse.count(good(2), [])
    assert not blown_by(fuse, 8)
    assert blown_by(fuse, 9)


def test_only_the_last_records_of_a_large_batch_count() -> None:
    fuse = a_fuse(rejected=9)
    fuse.count(good(1_000), [])
    assert not blown_by(fuse, 8)
    fuse.count([*(nine := bad(9)), *good(5)], nine)
    assert not blown_by(fuse, 4)


def test_accepted_it_is_armed_again_by_what_is_good() -> None:
    fuse = a_fuse()
    fuse.accept()
    assert not blown_by(fuse, 10)
    fuse.count(ten := bad(10), ten)
    assert not blown_by(fuse, 10)
    fuse.count(good(10), [])
    assert blown_by(fuse, 10)
