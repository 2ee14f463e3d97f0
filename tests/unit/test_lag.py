"""The age of what is not applied: by the records' own times where these can be true, else since they came next."""

import pytest
from aiokafka import TopicPartition

from neon_projector.consumer.telemetry.lag import Ages, Unmoved

ONE, OTHER = TopicPartition("users", 0), TopicPartition("users", 1)
NOW = 1_790_000_000.0
MS = 1000


def test_a_record_with_a_time_is_as_old_as_that_says() -> None:
    ages = Ages()
    assert ages.age(ONE, 5, 3, int((NOW - 40) * MS), NOW) == 40
    assert ages.age(ONE, 8, 0, None, NOW + 1) == 0


@pytest.mark.parametrize("timestamp", [-1, 0, 1, int(NOW), int((NOW + 3000) * MS), int(NOW * 1_000_000)])
def test_a_time_that_is_none_or_has_not_come_counts_from_when_the_record_came_next(timestamp: int) -> None:
    ages = Ages()
    assert ages.age(ONE, 5, 3, timestamp, NOW) == 0
    assert ages.age(ONE, 5, 9, timestamp, NOW + 7) == 7
    assert ages.age(ONE, 6, 8, timestamp, NOW + 9) == 0
    assert ages.age(ONE, 6, 8, timestamp, NOW + 10) == 1


def test_a_stream_that_is_never_quite_caught_up_does_not_age_by_that() -> None:
    ages = Ages()
    for second in range(3600):
        oldest = None if second % 2 else int((NOW + second - 1) * MS)
        assert ages.age(ONE, second, 1, oldest, NOW + second) <= 2


def test_with_nothing_read_it_is_since_the_lag_was_first_seen() -> None:
    ages = Ages()
    assert [ages.age(ONE, 5, 3, None, NOW + second) for second in (0, 1, 60)] == [0, 1, 60]


def test_between_two_reads_of_a_backlog_its_age_stays_known() -> None:
    ages = Ages()
    assert ages.age(ONE, 5, 90, int((NOW - 500) * MS), NOW) == 500
    assert ages.age(ONE, 50, 45, None, NOW + 1) == 501


def test_partitions_do_not_know_of_each_other() -> None:
    ages = Ages()
    ages.age(ONE, 5, 3, -1, NOW)
    assert ages.age(OTHER, 5, 3, -1, NOW + 9) == 0


def test_what_has_not_moved_is_told_and_forgotten_when_it_is_gone() -> None:
    unmoved = Unmoved()
    assert unmoved.seconds({ONE: 5, OTHER: 1}, NOW) == {ONE: 0, OTHER: 0}
    assert unmoved.seconds({ONE: 5, OTHER: 2}, NOW + 4) == {ONE: 4, OTHER: 0}
    assert unmoved.seconds({OTHER: 2}, NOW + 5) == {OTHER: 1}
    assert unmoved.seconds({ONE: 5}, NOW + 6) == {ONE: 0}
