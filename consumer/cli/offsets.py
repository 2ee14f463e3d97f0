"""`projector offsets show` and `projector offsets reset`."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import orjson
import typer
from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.table import Table

from consumer.errors import Refused
from consumer.positions import stored
from consumer.reset import Move, Target, bounds_of
from consumer.reset import reset as run_reset
from consumer.settings import Settings, load_settings
from models.engine import create_engine
from projections.fields import parse_time

app = typer.Typer(help="Positions: show them, move them.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command()
def show(as_json: AsJson = False) -> None:
    """Stored positions and totals beside what Kafka has. Exit status 1: Kafka no longer has a position."""
    rows = asyncio.run(rows_of(load_settings()))
    if as_json:
        typer.echo(orjson.dumps(rows).decode())
    else:
        table = Table(*(rows[0] if rows else ("no position is stored",)))
        for row in rows:
            table.add_row(*(str(value) for value in row.values()))
        Console().print(table)
    raise typer.Exit(1 if any(row["lost"] for row in rows) else 0)


@app.command()
def reset(
    topic: Annotated[list[str] | None, typer.Option(help="t, or t:0,1 for some partitions; may be repeated.")] = None,
    all_topics: Annotated[bool, typer.Option("--all-topics")] = False,
    to_earliest: Annotated[bool, typer.Option("--to-earliest")] = False,
    to_latest: Annotated[bool, typer.Option("--to-latest")] = False,
    to_offset: Annotated[int | None, typer.Option()] = None,
    to_datetime: Annotated[str | None, typer.Option(help="RFC 3339, with a zone.")] = None,
    by_duration: Annotated[str | None, typer.Option(help="ISO 8601, back from now: PT1H, P1D.")] = None,
    shift_by: Annotated[int | None, typer.Option(help="Records; negative: back.")] = None,
    execute: Annotated[bool, typer.Option("--execute", help="Do it. Without: a dry run.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Move positions; a running service is fenced, reads them again and goes on. A dry run without --execute."""
    given: list[Target] = []
    given += [Target("earliest")] if to_earliest else []
    given += [Target("latest")] if to_latest else []
    given += [Target("offset", to_offset)] if to_offset is not None else []
    given += [Target("time", _milliseconds(to_datetime))] if to_datetime is not None else []
    given += [Target("time", _back(by_duration))] if by_duration is not None else []
    given += [Target("shift", shift_by)] if shift_by is not None else []
    if len(given) != 1 or bool(topic) == all_topics:
        raise typer.BadParameter(
            "give one scope (--topic, --all-topics) and one target (--to-…, --by-duration, --shift-by)"
        )
    settings = load_settings()
    scope = _scope(settings, topic or [])
    if not (as_json and execute):
        _print(asyncio.run(_reset(settings, scope, given[0], execute=False)), as_json)
    if not execute:
        return
    if sys.stdin.isatty() and not yes and not typer.confirm("move them?"):
        raise Refused("not confirmed")
    moves = asyncio.run(_reset(settings, scope, given[0], execute=True))
    if as_json:
        _print(moves, True)
    else:
        typer.echo(f"moved {len(moves)} positions")


async def rows_of(settings: Settings) -> list[dict[str, Any]]:
    """Each stored position with its totals, what Kafka has, the lag, and whether it is `lost` to Kafka."""
    engine = create_engine(settings)
    try:
        rows = await stored(engine, settings.kafka_group_id)
    finally:
        await engine.dispose()
    bounds = await bounds_of(settings)
    shown = []
    for partition, row in rows.items():
        kept = bounds[partition][0] if partition in bounds else None
        lost = kept is None or not kept.earliest <= row["next_offset"] <= kept.latest
        earliest, latest = (None, None) if kept is None else kept
        lag = None if kept is None else max(0, kept.latest - row["next_offset"])
        shown.append({"topic": partition.topic, "partition": partition.partition, **row}
                     | {"earliest": earliest, "latest": latest, "lag": lag, "lost": lost})  # fmt: skip
    return shown


async def _reset(settings: Settings, scope: dict[str, set[int] | None], target: Target, *, execute: bool) -> list[Move]:
    engine = create_engine(settings)
    try:
        return await run_reset(engine, settings, scope, target, execute=execute)
    finally:
        await engine.dispose()


def _print(moves: list[Move], as_json: bool) -> None:
    if as_json:
        rows = [{"topic": m.partition.topic, "partition": m.partition.partition, "from": m.before, "to": m.after,
                 "clamped": m.clamped} for m in moves]  # fmt: skip
        typer.echo(orjson.dumps(rows).decode())
        return
    table = Table("topic", "partition", "from", "to", "records", "")
    for m in moves:
        kept = "as far as Kafka has it" if m.clamped else ""
        table.add_row(m.partition.topic, str(m.partition.partition), str(m.before), str(m.after), m.effect, kept)
    Console().print(table)


def _scope(settings: Settings, topics: list[str]) -> dict[str, set[int] | None]:
    if not topics:
        return dict.fromkeys(settings.topics.values())
    scope: dict[str, set[int] | None] = {}
    for one in topics:
        name, _, numbers = one.partition(":")
        if name not in settings.topics.values() or not all(n.isdecimal() for n in numbers.split(",") if numbers):
            raise typer.BadParameter(f"--topic {one}: expected one of {', '.join(settings.topics.values())}, or t:0,1")
        scope[name] = {int(n) for n in numbers.split(",")} if numbers else None
    return scope


def _milliseconds(text: str) -> int:
    try:
        return int(parse_time(text).timestamp() * 1000)
    except ValueError as error:
        raise typer.BadParameter(f"--to-datetime: {error}") from None


def _back(duration: str) -> int:
    try:
        span = TypeAdapter(timedelta).validate_python(duration)
    except ValidationError:
        raise typer.BadParameter("--by-duration: expected an ISO 8601 duration such as PT1H") from None
    return int((datetime.now(UTC) - span).timestamp() * 1000)
