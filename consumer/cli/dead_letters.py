"""`projector dead-letters list/show/export/discard`."""

import base64
import sys
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated, Any

import orjson
import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin import dead_letters as letters
from neon_projector.consumer.admin.dead_letters import Choice, Filter
from neon_projector.consumer.cli.database import DRY, AsJson, Execute, Limit, Yes, ask, confirm
from neon_projector.consumer.cli.examples import examples
from neon_projector.consumer.cli.output import json_of, print_json, print_table, print_text
from neon_projector.consumer.errors import Refused
from neon_projector.projections.contract.outcome import Reason

Number = Annotated[int, typer.Argument(min=1, max=2**63 - 1)]
Ids = Annotated[list[int] | None, typer.Argument(min=1, max=2**63 - 1, help="Numbers of dead letters.")]
OfReason = Annotated[Reason | None, typer.Option(help="Only those of this reason.")]
OfTopic = Annotated[str | None, typer.Option(help="Only those of this topic.")]
Every = Annotated[bool, typer.Option("--all", help="All dead letters of status new.")]

LISTED = ("id", "topic", "partition", "offset", "reason", "error", "entity_id", "created_at")

app = typer.Typer(
    help="Records that were rejected.",
    no_args_is_help=True,
    epilog=examples("dead-letters list", "dead-letters retry --all"),
)


class Status(StrEnum):
    """Which dead letters to look at."""

    NEW = "new"
    RESOLVED = "resolved"
    DISCARDED = "discarded"
    ALL = "all"


OfStatus = Annotated[Status, typer.Option(help="Only those of this status.")]


@app.command("list", epilog=examples("dead-letters list", "dead-letters list --status all --topic users --limit 500"))
def list_letters(
    status: OfStatus = Status.NEW, reason: OfReason = None, topic: OfTopic = None, limit: Limit = 50,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """List dead letters, the newest first, without their content."""
    rows = ask(lambda engine: letters.listed(engine, _filter(status, reason, topic), limit))
    print_json(rows) if as_json else print_table([{name: row[name] for name in LISTED} for row in rows])


@app.command(epilog=examples("dead-letters show 42"))
def show(number: Number, as_json: AsJson = False) -> None:
    """Show one, with its key, headers and value as stored: passwords are masked."""
    row = ask(lambda engine: letters.letter(engine, number))
    if row is None:
        raise Refused(f"there is no dead letter {number}")
    row = _readable(row)
    if as_json:
        print_json(row)
        return
    for name, value in row.items():
        print_text(f"{name:>13}  {value}")


@app.command(epilog=examples("dead-letters export letters.jsonl", "dead-letters export --reason invalid_data"))
def export(
    file: Annotated[Path | None, typer.Argument(help="A new file. Default: standard output.")] = None,
    status: OfStatus = Status.NEW, reason: OfReason = None, topic: OfTopic = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Write one JSON object a line, with key, headers and value as stored: passwords are masked.

    Bytes that are not text are in `key_base64` and `value_base64`.
    """
    which = _filter(status, reason, topic)
    if file is None:
        ask(lambda engine: _write(engine, which, sys.stdout.buffer))
        return
    try:
        with file.open("xb") as out:
            number = ask(lambda engine: _write(engine, which, out))
    except FileExistsError:
        raise Refused(f"{file} is there already") from None
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from None
    print_json({"exported": number}) if as_json else typer.echo(f"{number} exported")


@app.command(epilog=examples("dead-letters discard 42", "dead-letters discard --reason invalid_data --execute"))
def discard(
    ids: Ids = None, reason: OfReason = None, every: Every = False, execute: Execute = False, yes: Yes = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Mark dead letters as discarded. They stay in the table."""
    numbers = choose(ids, reason, every)
    if execute:
        confirm(f"discard {len(numbers)} dead letters?", yes)
        numbers = ask(lambda engine: letters.discard(engine, numbers))
    if as_json:
        print_json({"executed": execute, "discarded": len(numbers), "letters": numbers})
    else:
        typer.echo(f"{len(numbers)} discarded" if execute else f"{len(numbers)} to discard: {DRY}")


def choose(ids: list[int] | None, reason: Reason | None, every: bool) -> list[int]:
    """The ids of the new dead letters that are meant; Refused where one that is named is none."""
    if sum((bool(ids), reason is not None, every)) != 1:
        raise typer.BadParameter("give numbers, or --reason, or --all")
    choice = Choice(tuple(ids or ()), reason, every)
    numbers = ask(lambda engine: letters.chosen(engine, choice))
    if absent := set(ids or ()) - set(numbers):
        raise Refused(f"no new dead letter: {', '.join(map(str, sorted(absent)))}")
    return numbers


async def _write(engine: AsyncEngine, which: Filter, out: IO[bytes]) -> int:
    number = 0
    async for row in letters.exported(engine, which):
        out.write(json_of(_readable(row)).encode() + b"\n")
        number += 1
    out.flush()
    return number


def _filter(status: Status, reason: Reason | None, topic: str | None) -> Filter:
    return Filter(None if status is Status.ALL else status.value, reason and reason.value, topic)


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    """Bytes as text where they are that, else as base64 under a name that says so."""
    told: dict[str, Any] = {}
    for name, value in row.items():
        if name == "sha256":
            told[name] = value.hex()
        elif name == "headers" and isinstance(value, str):  # the driver hands JSON over as text
            told[name] = orjson.loads(value)
        elif not isinstance(value, bytes):
            told[name] = value
        else:
            told |= _text_or_base64(name, value)
    return told


def _text_or_base64(name: str, value: bytes) -> dict[str, str]:
    try:
        return {name: value.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(value).decode()}
