"""How `projector offsets` shows positions and moves to people."""

from functools import partial
from typing import Any

from neon_projector.consumer.admin.reset import Move
from neon_projector.consumer.cli.by_topic import FEW, print_lines, print_partitions
from neon_projector.consumer.cli.output import print_json, print_text
from neon_projector.consumer.cli.times import exactly
from neon_projector.consumer.wording import counted, verb
from neon_projector.projections.contract.outcome import TOTALS

Row = dict[str, Any]

WHERE = ("next_offset", "earliest", "latest", "lag", "lost")
SUMMED = ("lag", "lost", *TOTALS)
"""Of the partitions of a topic together."""


def print_positions(rows: list[Row], every: bool) -> None:
    """Positions beside what Kafka has, then the totals of the records before them."""
    if not rows:
        print_text("no position is stored: the service has not run yet with this KAFKA_GROUP_ID")
        return
    for names in (WHERE, TOTALS):
        print_partitions(rows, _topic, partial(_row, names), partial(_sum, names), every=every)
    if len(rows) > FEW and not every:
        gone = (
            f"{_name(row)}: Kafka does not have the record at {row['next_offset']:,}" for row in rows if row["lost"]
        )
        print_lines(gone, every=every)


def print_moves(moves: list[Move], as_json: bool, every: bool) -> None:
    """Where each position goes, and what was lost to Kafka before it was read."""
    if as_json:
        print_json([_for_programs(move) for move in moves])
        return
    clamped = {True: "as far as Kafka has it", False: None}
    print_partitions(
        moves, lambda m: m.partition.topic,
        lambda m: {"partition": m.name, "from": m.before, "to": m.after, "records": m.effect, "": clamped[m.clamped]},
        lambda own: {
            "read again": sum(m.again for m in own),
            "skipped": sum(m.skipped for m in own),
            "as far as Kafka has it": sum(m.clamped for m in own),
        },
        every=every,
    )  # fmt: skip
    print_lines((_said_lost(move) for move in moves if move.lost), every=every)


def _for_programs(move: Move) -> dict[str, Any]:
    partition = {"topic": move.partition.topic, "partition": move.partition.partition}
    gone = move.lost and move.lost.to_json()
    there = {"clamped": move.clamped, "created_again": move.recreated, "lost": gone}
    return {**partition, "from": move.before, "to": move.after, **there}


def _said_lost(move: Move) -> str:
    gone = move.lost
    assert gone is not None
    number = gone.end - gone.start
    when = f", published before {exactly(gone.first_left_at)}" if gone.first_left_at else ""
    moved = f"; the position last moved at {exactly(gone.position_moved_at)}" if gone.position_moved_at else ""
    offsets = (
        f"{counted(number, 'offset')} before {verb(number, 'it was', 'they were')} read, {gone.start} to {gone.end - 1}"
    )
    then = f"What may be stale for it: projector explain --partition {move.name}"
    return f"{move.name}: Kafka has deleted {offsets}{when}{moved}. {then}"


def _row(names: tuple[str, ...], row: Row) -> Row:
    return {"partition": _name(row), **{name: row[name] for name in names}}


def _sum(names: tuple[str, ...], own: list[Row]) -> Row:
    return {name: sum(row[name] or 0 for row in own) for name in names if name in SUMMED}


def _topic(row: Row) -> str:
    return str(row["topic"])


def _name(row: Row) -> str:
    return f"{row['topic']}:{row['partition']}"
