"""Who may read ahead, and how far."""

from aiokafka import TopicPartition

from consumer.buffers import NOTHING, Held
from consumer.shares import shares

USERS, MORE_USERS, DOCUMENTS, MORE_DOCUMENTS = (
    TopicPartition(topic, number) for topic in ("users", "documents") for number in (0, 1)
)
SMALL = 10**9


def test_where_nothing_is_held_each_may_take_its_equal_part_of_half() -> None:
    held = dict.fromkeys((USERS, MORE_USERS, DOCUMENTS, MORE_DOCUMENTS), NOTHING)
    assert shares(held, held.keys(), 8_000, SMALL) == dict.fromkeys(held, 1_001)


def test_those_behind_in_time_take_what_those_ahead_leave() -> None:
    held = {
        DOCUMENTS: Held(1_001, 0, 900),
        MORE_DOCUMENTS: Held(1_001, 0, 950),
        USERS: Held(500, 0, 100),
        MORE_USERS: Held(600, 0, 90),
    }
    left = 8_000 - 1_001 - 1_001 - 500 - 600
    assert list(shares(held, held.keys(), 8_000, SMALL).items()) == [(MORE_USERS, left), (USERS, left)]


def test_when_all_is_full_only_those_may_read_of_which_little_is_here() -> None:
    held = {USERS: Held(7_900, 0, 500), DOCUMENTS: Held(100, 0, 100)}
    assert shares(held, held.keys(), 8_000, SMALL) == {DOCUMENTS: 1_901}


def test_large_values_leave_room_for_few() -> None:
    held = {USERS: Held(5, 5_000_000, 100), DOCUMENTS: Held(5, 5_000_000, 200)}
    assert shares(held, held.keys(), 8_000, 16_000_000) == {USERS: 6}


def test_one_partition_may_take_all_if_it_is_behind() -> None:
    assert shares({USERS: Held(10, 1_000, 1)}, {USERS}, 8_000, SMALL) == {USERS: 7_990}
    assert shares({USERS: Held(10, 1_000, 1)}, set(), 8_000, SMALL) == {USERS: 3_991}


def test_those_at_their_ends_take_nothing_from_those_behind() -> None:
    held = {USERS: NOTHING, MORE_USERS: NOTHING, DOCUMENTS: Held(3_000, 0, 100), MORE_DOCUMENTS: Held(3_000, 0, 200)}
    may = shares(held, {DOCUMENTS, MORE_DOCUMENTS}, 8_000, SMALL)
    assert may[DOCUMENTS] == 2_000
    assert MORE_DOCUMENTS not in may


def test_many_partitions_that_are_read_at_once_are_bounded_together() -> None:
    """Nobody is behind for long, and nothing is written: what comes is read, until there is no more room."""
    partitions = [TopicPartition("users", number) for number in range(64)]
    held = dict.fromkeys(partitions, NOTHING)
    for turn in range(3):
        for partition in partitions:
            more = shares(held, {partition}, 8_000, SMALL).get(partition, 0)
            held[partition] = Held(held[partition].records + more, 0, turn)
    assert 8_000 <= sum(one.records for one in held.values()) <= 8_000 * 1.5 + 64
