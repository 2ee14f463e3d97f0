"""Which offsets were never read, by what resets left behind; and where keys go, by what a partition holds."""

from typing import Any
from uuid import UUID
from zlib import crc32

import pytest
from aiokafka.partitioner import murmur2

from neon_projector.consumer.admin.explain.left_out import left_out
from neon_projector.consumer.cli.explained import print_stale
from neon_projector.consumer.kafka.partitioners import partitioner_of

NAME = "users:0"


def reset(start: int, end: int, **after: Any) -> dict[str, Any]:
    return {"before": {NAME: start}, "after": {NAME: end, **after}, "finished_at": None, "actor": "eve@host"}


def test_where_there_is_one_partition_every_entity_is_concerned_and_that_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    row = {"entity": "user", "id": UUID(int=1), "version": 1, "stands": "there"}
    window = {"from": 3, "to": 9, "at": None, "by": None, "in_kafka": True}
    report: dict[str, Any] = {"partition": NAME, "windows": [window], "keys": None, "fresh": 1, "not_read": []}
    print_stale(report | {"partitions": 1, "may_be_stale": [row]})
    said = capsys.readouterr().out
    assert (
        f"{NAME}: 1 entity may be stale; 1 has a later record; it is the topic's only partition, so all count" in said
    )
    print_stale(report | {"partitions": 2, "may_be_stale": [row] * 100})
    said = capsys.readouterr().out
    assert "its records, perhaps too few, do not tell how keys are hashed, so all count" in said
    assert "and 80 more: --json has all" in said


def windows(*resets: dict[str, Any], position: int | None = 100, earliest: int = 0) -> list[tuple[int, int, bool]]:
    found = left_out(NAME, resets, position, earliest)
    return [(one["from"], one["to"], one["in_kafka"]) for one in found]


def test_a_reset_forward_leaves_a_window_out_and_one_back_reads_it() -> None:
    assert windows() == []
    assert windows(reset(3, 9)) == [(3, 9, True)]
    assert windows(reset(3, 9), reset(20, 3)) == []
    assert windows(reset(3, 9), reset(20, 6)) == [(3, 6, True)]
    assert windows(reset(3, 9), reset(12, 15), reset(20, 13)) == [(3, 9, True), (12, 13, True)]
    assert windows(reset(3, 9), reset(20, 3), reset(5, 7)) == [(5, 7, True)]
    assert windows(reset(5, 5)) == []


def test_what_was_left_out_of_a_topic_stays_so_where_it_is_created_again() -> None:
    """The offsets are another topic's since then, which neither brings it back nor has it."""
    again = {"recreated": [NAME]}
    assert windows(reset(3, 9), reset(20, 0, **again)) == [(3, 9, False)]
    assert windows(reset(3, 9), reset(20, 5, **again)) == [(3, 9, False), (0, 5, True)]
    assert windows(reset(3, 9), reset(20, 5, **again), reset(7, 2)) == [(3, 9, False), (0, 2, True)]
    assert windows(reset(20, 30, **again), earliest=30) == [(0, 30, False)]
    assert windows(reset(3, 9), reset(20, 0, recreated=["users:1"])) == []
    found = left_out(NAME, [reset(3, 9)], 20, 25, created_again=True)
    assert [(one["from"], one["to"], one["in_kafka"], one["created_again"]) for one in found] == [(3, 9, False, True)]


def test_what_kafka_has_deleted_before_the_position_counts_before_any_reset() -> None:
    assert windows(position=4, earliest=10) == [(4, 10, False)]
    assert windows(position=None, earliest=10) == []
    assert windows(reset(3, 9), earliest=9) == [(3, 9, False)]


def test_the_times_around_it_are_those_that_the_reset_kept() -> None:
    lost = {NAME: {"from": 3, "to": 9, "position_moved_at": "t1", "first_left_at": "t2"}}
    (window,) = left_out(NAME, [reset(3, 9, lost=lost)], 100, 9)
    assert (window["position_moved_at"], window["first_left_at"], window["by"]) == ("t1", "t2", "eve@host")


def test_how_keys_are_hashed_is_told_by_enough_of_them_only() -> None:
    ids = [UUID(int=number * 7919) for number in range(1, 400)]
    java = [one for one in ids if (murmur2(str(one).encode()) & 0x7FFFFFFF) % 6 == 2]
    c = [one for one in ids if crc32(one.hex.encode()) % 6 == 2]
    found = partitioner_of({2: {one: str(one).encode() for one in java}}, 6)
    assert found is not None
    assert (found.name, [found.partition(one) for one in java]) == ("murmur2 of the id with hyphens", [2] * len(java))
    assert [one for one in ids if found.partition(one) == 2] == java
    found_in_one = found
    found = partitioner_of({2: {one: one.hex.encode() for one in c}}, 6)
    assert found is not None
    assert found.name == "crc32 of the id without hyphens"
    assert partitioner_of({2: {one: str(one).encode() for one in java[:7]}}, 6) is None
    assert partitioner_of({2: {one: str(one).encode() for one in ids}}, 6) is None
    everywhere = {number: dict[UUID, bytes | None]() for number in range(6)}
    for one in ids:
        everywhere[(murmur2(str(one).encode()) & 0x7FFFFFFF) % 6][one] = str(one).encode()
    assert partitioner_of(everywhere, 6) == found_in_one
    everywhere[5][java[0]] = str(java[0]).encode()  # once elsewhere, by a publisher of another kind
    assert partitioner_of(everywhere, 6) is None
    assert partitioner_of({2: dict.fromkeys(java)}, 6) is None
    assert partitioner_of({0: {one: str(one).encode() for one in ids}}, 1) is None
