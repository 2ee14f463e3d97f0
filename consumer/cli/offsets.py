"""`projector offsets show` and `projector offsets reset`."""

import asyncio
from typing import Annotated, Any

import typer

from neon_projector.consumer.admin.force_rebalance import force_rebalance
from neon_projector.consumer.admin.offsets import positions_of
from neon_projector.consumer.admin.reset import Move
from neon_projector.consumer.admin.reset import reset as run_reset
from neon_projector.consumer.cli.database import DRY, AsJson, Execute, Yes, ask, confirm, is_to_ask
from neon_projector.consumer.cli.examples import examples
from neon_projector.consumer.cli.output import print_json, print_table, print_text
from neon_projector.consumer.cli.scope import scope_of, target_of
from neon_projector.consumer.cli.times import exactly
from neon_projector.consumer.environment import load_settings

app = typer.Typer(help="Positions: show them, move them.", no_args_is_help=True, epilog=examples("offsets show"))

WHERE = ("next_offset", "earliest", "latest", "lag", "lost")
TOTALS = ("applied", "superseded", "parked", "rejected", "ignored", "skipped")


@app.command(epilog=examples("offsets show", "offsets show --json"))
def show(as_json: AsJson = False) -> None:
    """Show stored positions beside what Kafka has, and what became of the records before them.

    Exit status 1: Kafka no longer has the record at a position.
    """
    settings = load_settings()
    rows = ask(lambda engine: positions_of(engine, settings))
    if as_json:
        print_json(rows)
    else:
        for names in (WHERE, TOTALS):
            print_table([{"partition": _name(row), **{name: row[name] for name in names}} for row in rows])
    raise typer.Exit(1 if any(row["lost"] for row in rows) else 0)


@app.command(
    epilog=examples(
        "offsets reset --topic users:0 --to-earliest", "offsets reset --all-topics --by-duration PT2H --execute"
    )
)
def reset(
    topic: Annotated[list[str] | None, typer.Option(help="t, or t:0,1 for some partitions; may be repeated.")] = None,
    all_topics: Annotated[bool, typer.Option("--all-topics", help="All topics of the settings.")] = False,
    to_earliest: Annotated[bool, typer.Option("--to-earliest", help="To the first record that Kafka has.")] = False,
    to_latest: Annotated[bool, typer.Option("--to-latest", help="To the end: only new records are read.")] = False,
    to_offset: Annotated[int | None, typer.Option(help="To this offset.")] = None,
    to_datetime: Annotated[
        str | None, typer.Option(help="To the first record of this time or later: RFC 3339, with a zone.")
    ] = None,
    by_duration: Annotated[str | None, typer.Option(help="Back from now by this ISO 8601 duration: PT1H, P1D.")] = None,
    shift_by: Annotated[int | None, typer.Option(help="By so many records; a negative number: back.")] = None,
    execute: Execute = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Move positions. A running service notices, reads them again and goes on. A dry run without --execute."""
    target = target_of(to_earliest, to_latest, to_offset, to_datetime, by_duration, shift_by)
    if bool(topic) == all_topics:
        raise typer.BadParameter("give one scope: --topic or --all-topics")
    settings = load_settings()
    scope = scope_of(sorted(set(settings.topics.values())), topic or [])

    def moves(execute: bool) -> list[Move]:
        return ask(lambda engine: run_reset(engine, settings, scope, target, execute=execute))

    if not execute:
        _print(moves(execute=False), as_json)
        if not as_json:
            print_text(DRY)
        return
    planned = _agreed(moves(execute=False), as_json) if is_to_ask(yes) else None
    done = moves(execute=True)
    if planned not in (None, done) and not as_json:
        print_text("the positions have moved since; this is what was done:")
    _print(done, as_json)
    asyncio.run(force_rebalance(settings))


def _agreed(planned: list[Move], as_json: bool) -> list[Move]:
    """Show what is planned, and ask; Refused where the person does not agree."""
    if not as_json:
        _print(planned, as_json)
    confirm("move them?", yes=False)
    return planned


def _print(moves: list[Move], as_json: bool) -> None:
    if as_json:
        print_json([_for_programs(move) for move in moves])
        return
    clamped = {True: "as far as Kafka has it", False: None}
    print_table(
        [
            {"partition": m.name, "from": m.before, "to": m.after, "records": m.effect, "": clamped[m.clamped]}
            for m in moves
        ]
    )
    for move in moves:
        if move.lost:
            print_text(_said_lost(move))


def _for_programs(move: Move) -> dict[str, Any]:
    partition = {"topic": move.partition.topic, "partition": move.partition.partition}
    gone = move.lost and move.lost.to_json()
    return {**partition, "from": move.before, "to": move.after, "clamped": move.clamped, "lost": gone}


def _said_lost(move: Move) -> str:
    gone = move.lost
    assert gone is not None
    number = gone.end - gone.start
    when = f", published before {exactly(gone.first_left_at)}" if gone.first_left_at else ""
    moved = f"; the position last moved at {exactly(gone.position_moved_at)}" if gone.position_moved_at else ""
    offsets = f"{number:,} offsets before they were read, {gone.start} to {gone.end - 1}"
    then = f"What may be stale for it: projector explain --partition {move.name}"
    return f"{move.name}: Kafka has deleted {offsets}{when}{moved}. {then}"


def _name(row: dict[str, Any]) -> str:
    return f"{row['topic']}:{row['partition']}"
