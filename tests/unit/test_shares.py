"""Who may read ahead, and how far."""

from aiokafka import TopicPartition

from consumer.buffers import NOTHING, Held
from consumer.shares import shares

USERS, MORE_USERS, DOCUMENTS, MORE_DOCUMENTS = (
    TopicPartition(topic, number) for topic in ("users", "documents") for number in (0, 1)
)
SMALL = 10**9


def test_where_nothing_is_held_each_may_take_its_equal_part_of_a_quarter() -> None:
    held = dict.fromkeys((USERS, MORE_USERS, DOCUMENTS, MORE_DOCUMENTS), NOTHING)
    assert shares(held, held.keys(), 8_000, SMALL) == dict.fromkeys(held, 501)


def test_the_earlier_half_takes_what_those_ahead_leave() -> None:
    held = {
        DOCUMENTS: Held(501, 0, 900),
        MORE_DOCUMENTS: Held(501, 0, 950),
        USERS: Held(400, 0, 100),
        MORE_USERS: Held(600, 0, 90),
    }
    left = 8_000 - 501 - 501 - 400 - 600
    assert list(shares(held, held.keys(), 8_000, SMALL).items()) == [(MORE_USERS, left), (USERS, left)]


def test_as_long_as_nothing_is_known_of_one_that_is_behind_the_others_wait() -> None:
    held = {USERS: NOTHING, MORE_USERS: Held(501, 0, 90), DOCUMENTS: Held(501, 0, 900), MORE_DOCUMENTS: NOTHING}
    assert shares(held, held.keys(), 8_000, SMALL) == {USERS: 501, MORE_DOCUMENTS: 501}


def test_of_many_each_takes_four_parts_at_most_the_earliest_first() -> None:
    """Else the few that have come would fill the room, and those that are still awaited would find none."""
    partitions = [TopicPartition("users", number) for number in range(64)]
    held = {partition: Held(50, 0, 1_000 - partition.partition) for partition in partitions}
    assert list(shares(held, held.keys(), 8_000, SMALL).items()) == [
        (partition, 4 * (8_000 - 64 * 50) // 16) for partition in reversed(partitions[-16:])
    ]


def test_those_at_their_ends_are_not_asked_in_a_backlog_unless_it_is_time_to() -> None:
    for records, asked in ((2_000, {USERS, DOCUMENTS}), (2_001, {DOCUMENTS})):
        held = {USERS: NOTHING, DOCUMENTS: Held(records, 0, 100)}
        assert shares(held, {DOCUMENTS}, 8_000, SMALL).keys() == asked
        assert shares(held, {DOCUMENTS}, 8_000, SMALL, all_ends=True).keys() == {USERS, DOCUMENTS}


def test_when_all_is_full_only_those_may_read_of_which_little_is_here() -> None:
    held = {USERS: Held(7_900, 0, 500), DOCUMENTS: Held(100, 0, 100)}
    assert shares(held, held.keys(), 8_000, SMALL) == {DOCUMENTS: 901}
    held = {USERS: Held(7_600, 0, 500), DOCUMENTS: Held(300, 0, 100)}
    assert not shares(held, held.keys(), 8_000, SMALL)


def test_nothing_is_read_in_small_pieces() -> None:
    for records, more in ((7_499, {DOCUMENTS: 501}), (7_500, {})):
        held = {USERS: Held(records - 300, 0, 500), DOCUMENTS: Held(300, 0, 100)}
        assert shares(held, held.keys(), 8_000, SMALL) == more


def test_large_values_leave_room_for_few() -> None:
    held = {USERS: Held(5, 5_000_000, 100), DOCUMENTS: Held(5, 5_000_000, 200)}
    assert shares(held, held.keys(), 8_000, 16_000_000) == {USERS: 6}


def test_one_partition_may_take_all_if_it_is_behind() -> None:
    assert shares({USERS: Held(10, 1_000, 1)}, {USERS}, 8_000, SMALL) == {USERS: 7_990}
    assert shares({USERS: Held(10, 1_000, 1)}, set(), 8_000, SMALL) == {USERS: 1_991}


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
