"""Publishers' clocks may be wrong: nobody waits for long because of that, and it is said."""

import logging

import pytest
from aiokafka import TopicPartition

from neon_projector.consumer.batching.buffer import ANY_TIME
from neon_projector.consumer.batching.buffers import Buffers
from neon_projector.consumer.batching.turns import HELD_BACK_SECONDS, SAY_SECONDS, Turns
from tests.unit.test_buffers import DOCUMENTS, MANY, OTHERS, USERS, part, times

NOW = 1_790_000_000_000
HOUR = 3_600_000


def offsets(buffers: Buffers, time: int) -> dict[TopicPartition, list[int]]:
    return {one.partition: [r.offset for r in one.records] for one in buffers.take(time, MANY, MANY, MANY)}


def test_a_time_in_the_future_counts_as_the_time_of_reading_and_by_how_much_it_was_ahead_is_told() -> None:
    buffers = Buffers()
    assert buffers.add(part(USERS, 0, NOW - 5, NOW + HOUR, NOW - 4), latest=NOW) == HOUR
    assert buffers.add(part(OTHERS, 0, NOW - 9, NOW), latest=NOW) == 0
    assert buffers.watermark([USERS, OTHERS]) == (NOW, 2)
    assert offsets(buffers, NOW) == {USERS: [0, 1, 2], OTHERS: [0, 1]}
    assert buffers.add(part(USERS, 3, NOW + HOUR), latest=NOW + 7) == HOUR - 7
    assert buffers.watermark([USERS]) == (NOW + 7, 1)


def test_what_was_read_before_the_clock_was_set_back_keeps_its_order() -> None:
    buffers = Buffers()
    buffers.add(part(USERS, 0, NOW + 50), latest=NOW + 100)
    assert buffers.add(part(USERS, 1, NOW + 60), latest=NOW) == 10
    buffers.add(part(OTHERS, 0, NOW + 49, NOW + 51), latest=ANY_TIME)
    assert offsets(buffers, NOW + 50) == {USERS: [0, 1], OTHERS: [0]}


def test_a_fast_clock_that_has_held_its_partition_back_does_so_only_once() -> None:
    buffers = Buffers()
    buffers.add(part(USERS, 0, NOW + HOUR, NOW + HOUR + 1), latest=NOW)
    buffers.hasten([USERS], NOW - HOUR)
    buffers.add(part(USERS, 2, NOW + HOUR + 5, NOW + HOUR + 60), latest=NOW)
    assert offsets(buffers, NOW - HOUR + 5) == {USERS: [0, 1, 2]}


def test_the_age_of_what_waits_is_by_the_records_own_time() -> None:
    buffers = Buffers()
    buffers.add(part(USERS, 0, NOW + HOUR), latest=NOW)
    assert buffers.oldest() == {USERS: NOW + HOUR}


@pytest.mark.parametrize("timestamp", [-1, 0])
def test_records_without_a_time_are_known_to_be_here(timestamp: int) -> None:
    buffers = Buffers()
    buffers.add(part(USERS, 0, timestamp, timestamp))
    buffers.add(part(DOCUMENTS, 0, NOW))
    watermark, _ = buffers.watermark([USERS, DOCUMENTS])
    assert watermark > 0
    assert offsets(buffers, watermark) == {USERS: [0, 1]}


def test_what_is_let_go_goes_on_beside_the_others_until_nobody_is_behind() -> None:
    buffers = Buffers()
    buffers.add(part(USERS, 0, 100, 200, 300))
    buffers.add(part(DOCUMENTS, 0, 200, 8_000, 9_000))
    assert buffers.later(300) == {}
    assert offsets(buffers, 300) == {USERS: [0, 1, 2], DOCUMENTS: [0]}
    assert buffers.later(300) == {DOCUMENTS: 1}
    buffers.hasten([DOCUMENTS], 300)
    assert buffers.watermark([DOCUMENTS]) == (1_300, 1)
    assert times(buffers.take(300, MANY, MANY, MANY)) == {DOCUMENTS: [8_000]}
    buffers.add(part(DOCUMENTS, 3, 9_500))
    buffers.add(part(USERS, 3, 1_800))
    assert times(buffers.take(1_800, MANY, MANY, MANY)) == {USERS: [1_800], DOCUMENTS: [9_000, 9_500]}
    buffers.stop_hastening()
    buffers.add(part(DOCUMENTS, 4, 9_900))
    assert buffers.later(9_899) == {DOCUMENTS: 4}


def test_a_partition_has_its_turn_only_when_nothing_of_it_has_moved_for_long(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    turns = Turns()
    waiting = {USERS: 5, DOCUMENTS: 7}
    assert turns.overdue(waiting, 0) == []
    assert turns.overdue({USERS: 6, DOCUMENTS: 7}, HELD_BACK_SECONDS - 1) == []
    assert turns.overdue({USERS: 6, DOCUMENTS: 7}, HELD_BACK_SECONDS) == [DOCUMENTS]
    assert turns.overdue({USERS: 6, DOCUMENTS: 9}, 2 * HELD_BACK_SECONDS - 1) == [USERS]
    assert turns.overdue({DOCUMENTS: 9}, 3 * HELD_BACK_SECONDS - 1) == [DOCUMENTS]
    said = [record.__dict__["topic"] for record in caplog.records]
    assert said == ["documents", "users"], "of each partition once a minute"


def test_a_fast_clock_is_named_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    turns = Turns()
    for now in (0.0, 1.0, SAY_SECONDS - 1, SAY_SECONDS):
        turns.fast(USERS, HOUR, now)
        turns.fast(OTHERS, 20, now)
    assert [(r.__dict__["topic"], r.__dict__["partition"], r.__dict__["seconds"]) for r in caplog.records] == [
        ("users", 0, 3600)
    ] * 2
