"""`projector offsets show` and `projector offsets reset`."""

import asyncio
from typing import Annotated, Any

import typer

from neon_projector.consumer.admin.offsets import positions_of
from neon_projector.consumer.admin.rebalance import nudge
from neon_projector.consumer.admin.reset import Move
from neon_projector.consumer.admin.reset import reset as run_reset
from neon_projector.consumer.cli.database import DRY, AsJson, Execute, Yes, ask, confirm, is_to_ask
from neon_projector.consumer.cli.output import print_json, print_table, print_text
from neon_projector.consumer.cli.scope import scope_of, target_of
from neon_projector.consumer.environment import load_settings

app = typer.Typer(help="Positions: show them, move them.", no_args_is_help=True)


@app.command()
def show(as_json: AsJson = False) -> None:
    """Show stored positions and totals beside what Kafka has. Exit status 1: Kafka no longer has a position."""
    settings = load_settings()
    rows = ask(lambda engine: positions_of(engine, settings))
    print_json(rows) if as_json else print_table(rows)
    raise typer.Exit(1 if any(row["lost"] for row in rows) else 0)


@app.command()
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

    def moves(really: bool) -> list[Move]:
        return ask(lambda engine: run_reset(engine, settings, scope, target, execute=really))

    planned = None if execute and not is_to_ask(yes) else moves(False)
    if planned is not None and not (execute and as_json):
        _print(planned, as_json)
    if not execute:
        if not as_json:
            typer.echo(DRY)
        return
    confirm("move them?", yes)
    done = moves(True)
    if planned is not None and done != planned and not as_json:
        print_text("the positions have moved since; this is what was done:")
    _print(done, as_json)
    asyncio.run(nudge(settings))


def _print(moves: list[Move], as_json: bool) -> None:
    rows: list[dict[str, Any]] = [
        {"topic": m.partition.topic, "partition": m.partition.partition, "from": m.before, "to": m.after} for m in moves
    ]
    if as_json:
        print_json([{**row, "clamped": m.clamped} for row, m in zip(rows, moves, strict=True)])
        return
    kept = {True: "as far as Kafka has it", False: None}
    print_table([{**row, "records": m.effect, "": kept[m.clamped]} for row, m in zip(rows, moves, strict=True)])
