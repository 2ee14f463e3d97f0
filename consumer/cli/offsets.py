"""`projector offsets show` and `projector offsets reset`."""

import asyncio
from typing import Annotated

import typer

from neon_projector.consumer.admin.offsets import positions_of
from neon_projector.consumer.admin.reset import Move
from neon_projector.consumer.admin.reset import reset as run_reset
from neon_projector.consumer.admin.tell_group import tell_group
from neon_projector.consumer.cli.by_topic import EveryPartition
from neon_projector.consumer.cli.database import DRY, LAST, AsJson, Execute, Yes, ask, confirm, is_to_ask
from neon_projector.consumer.cli.examples import examples
from neon_projector.consumer.cli.offsets_text import print_moves, print_positions
from neon_projector.consumer.cli.output import print_json, print_text
from neon_projector.consumer.cli.scope import scope_of, target_of
from neon_projector.consumer.environment import load_settings

app = typer.Typer(help="Positions: show them, move them.", no_args_is_help=True, epilog=examples("offsets show"))


@app.command(epilog=examples("offsets show", "offsets show --json"))
def show(every: EveryPartition = False, as_json: AsJson = False) -> None:
    """Show stored positions beside what Kafka has, and what became of the records before them.

    Exit status 1: Kafka no longer has the record at a position.
    """
    settings = load_settings()
    rows = ask(lambda engine: positions_of(engine, settings))
    if as_json:
        print_json(rows)
    else:
        print_positions(rows, every)
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
    to_offset: Annotated[int | None, typer.Option(min=-LAST, max=LAST, help="To this offset.")] = None,
    to_datetime: Annotated[
        str | None, typer.Option(help="To the first record of this time or later: RFC 3339, with a zone.")
    ] = None,
    by_duration: Annotated[str | None, typer.Option(help="Back from now by this ISO 8601 duration: PT1H, P1D.")] = None,
    shift_by: Annotated[
        int | None, typer.Option(min=-LAST, max=LAST, help="By so many records; a negative number: back.")
    ] = None,
    execute: Execute = False,
    yes: Yes = False,
    every: EveryPartition = False,
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
        print_moves(moves(execute=False), as_json, every)
        if not as_json:
            print_text(DRY)
        return
    planned = _agreed(moves(execute=False), as_json, every) if is_to_ask(yes) else None
    done = moves(execute=True)
    if planned not in (None, done) and not as_json:
        print_text("the positions have moved since; this is what was done:")
    print_moves(done, as_json, every)
    asyncio.run(tell_group(settings, {move.partition: move.after for move in done}))


def _agreed(planned: list[Move], as_json: bool, every: bool) -> list[Move]:
    """Show what is planned, and ask; Refused where the person does not agree."""
    if not as_json:
        print_moves(planned, as_json, every)
    confirm("move them?", yes=False)
    return planned
