"""Each assigned partition is in exactly one state, and what was read under another claim is no longer ours."""

import pytest
from aiokafka import TopicPartition

from neon_projector.consumer.kafka.assignment import Partitions
from neon_projector.consumer.offsets.claim import Claim, OffsetRange

ZERO, ONE = TopicPartition("users", 0), TopicPartition("users", 1)


@pytest.fixture
def partitions() -> Partitions:
    """Two, read under epoch 4."""
    own = Partitions()
    own.assign([ZERO, ONE])
    assert own.settle({ZERO: Claim(10, 4), ONE: Claim(20, 4)}) == {ZERO: 10, ONE: 20}
    return own


def test_what_was_read_under_another_claim_is_lost(partitions: Partitions) -> None:
    spans = {ZERO: OffsetRange(5, 10, 4), ONE: OffsetRange(5, 20, 3)}
    assert partitions.lost(spans) == {ONE}
    partitions.read_again([ZERO])
    assert partitions.lost(spans) == {ZERO, ONE}, "it is not read until its position is known again"
    partitions.settle({ZERO: Claim(10, 4)})
    assert partitions.lost(spans) == {ONE}
    partitions.assign([])
    assert partitions.lost(spans) == {ZERO, ONE}


def test_one_that_needs_a_position_stays_stopped_until_it_has_another_claim(partitions: Partitions) -> None:
    partitions.stop(ZERO, "topic_changed")
    assert partitions.read_again([ZERO, ONE]) == {ZERO, ONE}
    assert partitions.settle({ZERO: Claim(10, 4), ONE: Claim(20, 4)}) == {ONE: 20}
    assert partitions.stopped.keys() == {ZERO}
    partitions.read_again([ZERO])
    assert partitions.settle({ZERO: Claim(0, 5)}) == {ZERO: 0}
    assert not partitions.stopped


def test_a_new_assignment_forgets_all_that_was(partitions: Partitions) -> None:
    partitions.stop(ZERO, "unreadable")
    partitions.read_again([ONE])
    partitions.assign([ONE])
    assert (partitions.to_claim, partitions.to_read) == ({ONE}, set())
    assert not partitions.reading
    assert not partitions.stopped
    assert partitions.assigned == {ONE}
