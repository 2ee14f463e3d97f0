"""`projector dead-letters list/show/export/discard`."""

import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.explain.publisher import asked_again
from neon_projector.consumer.admin.explain.rejected import BY_THEMSELVES
from neon_projector.consumer.admin.letters import lookup
from neon_projector.consumer.admin.letters.filter import Filter
from neon_projector.consumer.admin.letters.traces import traceparent_of
from neon_projector.consumer.cli.database import LAST, AsJson, Limit, ask
from neon_projector.consumer.cli.examples import examples
from neon_projector.consumer.cli.letter_filter import with_filter
from neon_projector.consumer.cli.letter_text import readable
from neon_projector.consumer.cli.output import (
    json_of,
    place,
    print_json,
    print_next,
    print_table,
    print_text,
    said_more,
)
from neon_projector.consumer.errors import Refused

LISTED = ("id", "record", "reason", "error", "entity_id", "created_at")
MOST = 20
"""So many are listed, unless --limit says otherwise."""

app = typer.Typer(
    help="Records that were rejected.",
    no_args_is_help=True,
    epilog=examples("dead-letters list --summary", "dead-letters retry --all"),
)


class Status(StrEnum):
    """Which dead letters to look at."""

    NEW = "new"
    RESOLVED = "resolved"
    DISCARDED = "discarded"
    ALL = "all"


OfStatus = Annotated[Status, typer.Option(help="Only those of this status.")]


@app.command("list", epilog=examples("dead-letters list --summary", "dead-letters list --source /shop --since PT2H"))
@with_filter
def list_letters(
    which: Filter, status: OfStatus = Status.NEW, limit: Limit = MOST,
    by_kind: Annotated[
        bool, typer.Option("--summary", help="How many there are of each reason, type and source.")
    ] = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """List dead letters, the newest first, without their content."""
    which = _of_status(which, status)
    if by_kind:
        rows = ask(lambda engine: lookup.summary(engine, which, limit))
    else:
        rows = ask(lambda engine: lookup.listed(engine, which, limit))
    if as_json:
        print_json(rows)
        return
    print_table(rows if by_kind else [_listed(row) for row in rows])
    if len(rows) == limit and not by_kind and (more := ask(lambda engine: lookup.chosen(engine, which)).number - limit):
        print_text(said_more(more, "--limit lists more, --summary counts them by kind"))
    if rows:
        print_next(f"projector dead-letters show {rows[0]['newest_id' if by_kind else 'id']}")


def _listed(row: dict[str, Any]) -> dict[str, Any]:
    known = row | {"record": place(row)}
    return {name: known[name] for name in LISTED}


@app.command(epilog=examples("dead-letters show 42", "dead-letters show --reason key_mismatch"))
@with_filter
def show(
    which: Filter,
    number: Annotated[int | None, typer.Argument(min=1, max=LAST, help="The number of a dead letter.")] = None,
    status: OfStatus = Status.NEW,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Show at most so many.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Show one, or the newest of a filter, with key, headers and value as stored: passwords are masked."""
    if (number is None) == (not which.given):
        raise typer.BadParameter("give a number, or a filter")
    which = _of_status(which, status) if number is None else Filter(ids=(number,))
    letters = ask(lambda engine: lookup.shown(engine, which, limit))
    rows = [readable(row) | {"traceparent": traceparent_of(row)} for row in letters]
    if not rows:
        raise Refused("there is no such dead letter" if number is None else f"there is no dead letter {number}")
    if as_json:
        print_json(rows if number is None else rows[0])
        return
    for row in rows:
        for name, value in row.items():
            if name != "traceparent" or value is not None:
                print_text(f"{name:>13}  {'-' if value is None else value}")
    if len(rows) == 1 and rows[0]["reason"] in BY_THEMSELVES:
        print_text(asked_again(rows[0]))
    if len(rows) == 1 and rows[0]["entity_id"] is not None:
        print_next(f"projector explain {rows[0]['entity_id']}")


@app.command(epilog=examples("dead-letters export letters.jsonl", "dead-letters export --reason invalid_data"))
@with_filter
def export(
    which: Filter,
    file: Annotated[Path | None, typer.Argument(help="A new file. Default: standard output.")] = None,
    status: OfStatus = Status.NEW,
    as_json: AsJson = False,
) -> None:
    """Write one JSON object a line, with key, headers and value as stored: passwords are masked.

    Bytes that are not text are in `key_base64` and `value_base64`.
    """
    which = _of_status(which, status)
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


async def _write(engine: AsyncEngine, which: Filter, out: IO[bytes]) -> int:
    number = 0
    async for row in lookup.exported(engine, which):
        out.write(json_of(readable(row)).encode() + b"\n")
        number += 1
    out.flush()
    return number


def _of_status(which: Filter, status: Status) -> Filter:
    return which if status is Status.ALL else replace(which, status=status.value)
