"""`projector status`: the whole at a glance."""

import asyncio
import sys
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.group_protocols import CLASSIC
from neon_projector.consumer.admin.status import status_of
from neon_projector.consumer.cli.database import AsJson, ask
from neon_projector.consumer.cli.output import console, plain, print_json, table_of
from neon_projector.consumer.cli.pause import described, details
from neon_projector.consumer.environment import load_settings
from neon_projector.consumer.errors import TransientError
from neon_projector.consumer.settings import Settings

SHOWN = ("topic", "partition", "next_offset", "lag", "lag_seconds", "member", "stopped")
WATCH_SECONDS = 2.0


def status(
    watch: Annotated[bool, typer.Option("--watch", help="Ask again every 2 seconds, until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """Members, positions, lag, what waits and what was rejected.

    Exit status 1: intake is stopped, or Kafka does not have the record at a stored position.
    """
    settings = load_settings()
    if watch:
        ask(lambda engine: _watch(engine, settings, as_json))
    told = ask(lambda engine: status_of(engine, settings))
    _print_json(told) if as_json else console().print(_shown(told, console().width))
    raise typer.Exit(1 if told["stops"] or any(row["stopped"] for row in told["partitions"]) else 0)


async def _watch(engine: AsyncEngine, settings: Settings, as_json: bool) -> None:
    """Ask every WATCH_SECONDS, and show the answer or the error; as JSON, one line each."""
    screen = sys.stdout.isatty() and not as_json
    with Live(console=console(), screen=screen, auto_refresh=False) if screen else console() as live:
        while True:
            try:
                told = await status_of(engine, settings)
            except TransientError as trouble:
                told = {"error": str(trouble)}
            if isinstance(live, Live):
                live.update(_shown(told, live.console.width), refresh=True)
            else:
                _print_json(told) if as_json else live.print(_shown(told, live.width))
            await asyncio.sleep(WATCH_SECONDS)


def _print_json(told: dict[str, Any]) -> None:
    print_json(told | {"intake": details(told["intake"])} if "intake" in told else told)


def _shown(told: dict[str, Any], width: int) -> RenderableType:
    if "error" in told:
        return plain(str(told["error"]))
    group = told["group"]
    parts: list[RenderableType] = [plain(f"group {group['id']}: {group['state']}, {len(group['members'])} members")]
    if group["protocol"] != CLASSIC:
        other = (
            f"another client uses this group, with the protocol {group['protocol']}: give this service a group of its "
        )
        parts.append(plain(other + "own (KAFKA_GROUP_ID), or stop the other"))
    rows = [{name: row[name] for name in SHOWN} for row in told["partitions"]]
    lately = [{**row, "number in the last 10 minutes": row.pop("number")} for row in map(dict, told["rejected_lately"])]
    tables = (group["members"], rows, told["waiting"], told["dead_letters_by_reason"], lately)
    parts += [table_of(some, width) for some in tables if some]
    parts += [plain(line) for row in told["partitions"] if (line := _held_back(row))]
    parts += [plain(described(stop)) for stop in told["intake"]]
    waits = {"parked": told["parked_states"] + told["parked_events"]} | {n: told[n] for n in ("contested", "hidden")}
    said = ", ".join(f"{name} {number:,}" for name, number in (waits | {"dead letters": told["dead_letters"]}).items())
    return Group(*parts, plain(f"{said}; last update {told['last_update'] or 'never'}"))


def _held_back(row: dict[str, Any]) -> str:
    number, seconds = row["open_transaction_records"], row["open_transaction_seconds"]
    if not number:
        return ""
    age = "" if seconds is None else f", whose first record is {seconds:.0f} s old"
    return f"{row['topic']}:{row['partition']}: {number:,} records wait behind an open transaction{age}"
