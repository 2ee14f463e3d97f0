"""Commands about partitions print few lines of many partitions, and each one where that is asked for."""

from collections.abc import Callable

import pytest
from aiokafka import TopicPartition

from neon_projector.consumer.admin.lost_records import Lost
from neon_projector.consumer.admin.replay.plan import Range
from neon_projector.consumer.admin.reset import Move
from neon_projector.consumer.cli.offsets_text import WHERE, print_moves, print_positions
from neon_projector.consumer.cli.replay_text import print_plan
from neon_projector.projections.contract.outcome import TOTALS

MANY = [TopicPartition(topic, number) for topic in ("users", "documents") for number in range(64)]


def positions(every: bool) -> None:
    print_positions(
        [{"topic": p.topic, "partition": p.partition, **dict.fromkeys((*WHERE, *TOTALS), 1)} for p in MANY], every
    )


def moves(every: bool) -> None:
    lost = Lost(0, 5, None, None)
    print_moves([Move(p, 10, 4, clamped=p.partition == 3, lost=lost) for p in MANY], False, every)


def plan(every: bool) -> None:
    print_plan([Range(p, 10, 30, 10 if p.partition else 7) for p in MANY], True, every, False)


@pytest.mark.parametrize("shows", [positions, moves, plan])
def test_of_128_partitions_few_lines_are_printed_and_all_where_that_is_asked_for(
    shows: Callable[[bool], None], capsys: pytest.CaptureFixture[str]
) -> None:
    shows(False)
    short = capsys.readouterr().out
    assert short.count("\n") <= 28
    assert "--partitions lists each partition" in short
    shows(True)
    assert capsys.readouterr().out.count("\n") > 128


def test_what_is_summed_up_is_summed_up_by_topic(capsys: pytest.CaptureFixture[str]) -> None:
    def rows() -> list[list[str]]:
        return [line.split() for line in capsys.readouterr().out.splitlines() if " 64 " in line]

    positions(False)
    assert [row[:4] for row in rows()][:2] == [["users", "64", "64", "64"], ["documents", "64", "64", "64"]]
    moves(False)
    assert list(rows()) == [["users", "64", "384", "0", "1"], ["documents", "64", "384", "0", "1"]]
    plan(False)
    assert [" ".join(row) for row in rows()] == [
        f"{topic} 64 1,280 3 are gone from Kafka" for topic in ("users", "documents")
    ]


@pytest.mark.parametrize(
    ("before", "after", "again", "said"),
    [
        (10, 4, False, "6 read again"), (4, 10, False, "6 skipped"), (4, 4, False, "nothing"),
        (10, 0, True, "another topic"), (10, 4, True, "another topic, 4 skipped"),
        (4, 10, True, "another topic, 10 skipped"),
    ],
)  # fmt: skip
def test_a_move_into_a_topic_that_was_created_again_reads_nothing_again(
    before: int, after: int, again: bool, said: str
) -> None:
    assert Move(MANY[0], before, after, clamped=False, recreated=again).effect == said


def test_a_shift_into_another_topic_says_what_it_believes() -> None:
    shift = Move(MANY[0], 10, 10, clamped=False, same=True)
    assert shift.effect == "another topic, taken for the same records"
    assert shift._replace(after=4).effect == "another topic, taken for the same records, 6 read again"


def test_of_many_lost_ranges_the_first_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    moves(False)
    said = capsys.readouterr().out
    assert said.count("Kafka has deleted 5 offsets before they were read") == 10
    assert "and 118 more: --partitions lists all" in said
