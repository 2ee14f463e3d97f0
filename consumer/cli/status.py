"""`projector status`: the whole at a glance."""

import asyncio
import re
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.status import status_of
from neon_projector.consumer.cli.database import AsJson, ask
from neon_projector.consumer.cli.output import console, next_line, plain, print_json, said, said_error, table_of
from neon_projector.consumer.cli.pause import described, details
from neon_projector.consumer.cli.times import span
from neon_projector.consumer.environment import load_settings
from neon_projector.consumer.errors import TransientError
from neon_projector.consumer.settings import Settings

WATCH_SECONDS = 2.0


def status(
    watch: Annotated[bool, typer.Option("--watch", help="Ask again every 2 seconds, until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """What is wrong and what to do, then members, positions, lag, what waits and what was rejected.

    Exit status 1: intake is stopped, or Kafka does not have the record at a stored position.
    """
    settings = load_settings()
    if watch:
        ask(lambda engine: _watch(engine, settings, as_json))
    told = ask(lambda engine: status_of(engine, settings))
    _print_json(told) if as_json else console().print(_shown(told, console()))
    raise typer.Exit(1 if told["stops"] or any(row["stopped"] for row in told["partitions"]) else 0)


async def _watch(engine: AsyncEngine, settings: Settings, as_json: bool) -> None:
    """Ask every WATCH_SECONDS, and show the answer or the error; as JSON, one line each."""
    screen = sys.stdout.isatty() and not as_json
    with Live(console=console(), screen=screen, auto_refresh=False) if screen else console() as live:
        while True:
            try:
                told = await status_of(engine, settings)
            except TransientError as trouble:
                told = {"error": said_error(trouble)}
            if isinstance(live, Live):
                live.update(_shown(told, live.console), refresh=True)
            else:
                _print_json(told) if as_json else live.print(_shown(told, live))
            await asyncio.sleep(WATCH_SECONDS)


def _print_json(told: dict[str, Any]) -> None:
    print_json(told | {"intake": details(told["intake"])} if "intake" in told else told)


def _shown(told: dict[str, Any], on: Console) -> RenderableType:
    if "error" in told:
        return plain(str(told["error"]))
    parts: list[RenderableType] = []
    for one in told["findings"]:
        parts.append(plain(f"{one['level'].upper()}: {one['says']}"))
        parts += [next_line(one["next"])] if one["next"] else []
    for title, rows in _tables(told):
        if rows:
            parts += ["", plain(title), table_of(rows, on)]
    parts += [plain(line) for row in told["partitions"] if (line := _held_back(row))]
    parts += [plain(described(stop)) for stop in told["intake"]]
    waits = {"parked": told["parked_states"] + told["parked_events"]} | {n: told[n] for n in ("contested", "hidden")}
    counts = ", ".join(
        f"{name} {number:,}" for name, number in (waits | {"dead letters": told["dead_letters"]}).items()
    )
    return Group(*parts, plain(f"{counts}; last update {said(told['last_update']) or 'never'}"))


def _tables(told: dict[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    group = told["group"]
    yield f"Group {group['id']} ({group['state']}, {len(group['members'])} members)", group["members"]
    yield (
        "Partitions",
        [
            {
                "partition": f"{row['topic']}:{row['partition']}",
                "position": row["next_offset"],
                "lag": row["lag"],
                "oldest": None if row["lag_seconds"] is None else span(row["lag_seconds"]),
                "read by": row["member"] and short_name(row["member"]),
                "stopped": row["stopped"],
            }
            for row in told["partitions"]
        ],
    )
    yield "What waits", told["waiting"]
    yield "Dead letters", told["dead_letters_by_reason"]
    yield "Rejected in the last 10 minutes", told["rejected_lately"]


def short_name(member: str) -> str:
    """A member's name with the first 8 digits of the UUID that it ends with: the table of members has all of it."""
    return re.sub(r"([0-9a-f]{8})(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", r"\1…", member)


def _held_back(row: dict[str, Any]) -> str:
    number, seconds = row["open_transaction_records"], row["open_transaction_seconds"]
    if not number:
        return ""
    age = "" if seconds is None else f", whose first record is {span(seconds)} old"
    return f"{row['topic']}:{row['partition']}: {number:,} records wait behind an open transaction{age}"
