"""`projector status`, `explain`, `dead-letters list/show`, `parked list`: they only look."""

import asyncio
from typing import Annotated, Any
from uuid import UUID

import orjson
import typer
from rich.console import Console
from rich.table import Table

from consumer import group, look
from consumer.cli.ask import ask
from consumer.cli.offsets import rows_of
from consumer.errors import Refused
from consumer.settings import load_settings
from projections.registry import REGISTRY

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000)]

dead_letters = typer.Typer(help="Records that were rejected.", no_args_is_help=True)
parked = typer.Typer(help="What waits.", no_args_is_help=True)


def status(as_json: AsJson = False) -> None:
    """Members, positions, lag, what waits and what was rejected. Exit status 1: Kafka no longer has a position."""
    settings = load_settings()
    rows, waits = asyncio.run(rows_of(settings)), ask(look.counts)
    members = asyncio.run(group.describe(settings))
    if as_json:
        _json({"group": members._asdict(), "partitions": rows, **waits})
    else:
        typer.echo(f"group {settings.kafka_group_id}: {members.state}, {len(members.members)} members")
        names = ("topic", "partition", "next_offset", "lag", "lost")
        _table([{name: row[name] for name in names} for row in rows])
        _table([waits])
    raise typer.Exit(1 if any(row["lost"] for row in rows) else 0)


def explain(entity_id: UUID, as_json: AsJson = False) -> None:
    """Why is it (not) there: row, tombstone, what it waits for, missing versions, dead letters."""
    story = ask(lambda engine: look.explain(engine, REGISTRY, entity_id))
    if as_json:
        _json(story)
        return
    for name in ("rows", "aside", "parked", "dead_letters"):
        if story[name]:
            Console().print(name.replace("_", " "))
            _table(story[name])
    Console().print(f"{entity_id}: {story['conclusion']}", soft_wrap=True, highlight=False)


@dead_letters.command("list")
def list_letters(
    status: Annotated[str, typer.Option(help="new, resolved, discarded or all.")] = "new",
    reason: str | None = None,
    topic: str | None = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """The newest first, without their contents."""
    wanted = None if status == "all" else status
    rows = ask(lambda engine: look.dead_letters(engine, status=wanted, reason=reason, topic=topic, limit=limit))
    names = ("id", "topic", "partition", "offset", "reason", "error", "entity_id", "created_at")
    _json(rows) if as_json else _table([{name: row[name] for name in names} for row in rows])


@dead_letters.command("show")
def show_letter(number: int, as_json: AsJson = False) -> None:
    """One, with its key, headers and value as they are kept: passwords are masked."""
    row = ask(lambda engine: look.dead_letter(engine, number))
    if row is None:
        raise Refused(f"there is no dead letter {number}")
    for name in ("key", "value"):
        row[name] = None if row[name] is None else row[name].decode("utf-8", "backslashreplace")
    if as_json:
        _json(row)
        return
    for name, value in row.items():
        Console().print(f"{name:>13}  {value}", soft_wrap=True, markup=False, highlight=False)


@parked.command("list")
def list_parked(limit: Limit = 50, as_json: AsJson = False) -> None:
    """What waits, longest first."""
    rows = ask(lambda engine: look.waiting(engine, limit))
    _json(rows) if as_json else _table(rows)


def _json(value: Any) -> None:
    typer.echo(orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode())


def _table(rows: list[dict[str, Any]]) -> None:
    if not rows:
        typer.echo("nothing")
        return
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    Console().print(table)
