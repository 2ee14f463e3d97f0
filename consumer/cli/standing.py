"""`projector status`: the whole at a glance."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from consumer import look
from consumer.cli.ask import ask
from consumer.cli.offsets import rows_of
from consumer.operate.group import group_of
from consumer.operate.standing import standing
from consumer.settings import Settings, load_settings

SHOWN = ("topic", "partition", "next_offset", "lag", "stopped")


def status(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Members, positions, lag, what waits and what was rejected.

    Exit status 1: intake is stopped, or Kafka does not have the record at a stored position.
    """
    told = _told(load_settings())
    if as_json:
        typer.echo(orjson.dumps(told, default=str).decode())
    else:
        _print(told)
    raise typer.Exit(1 if told["stops"] or any(row["stopped"] for row in told["partitions"]) else 0)


def _told(settings: Settings) -> dict[str, Any]:
    group = asyncio.run(group_of(settings))
    counts = ask(look.counts)
    rest = ask(lambda engine: standing(engine, settings))
    changed = rest.pop("changed")
    rows = asyncio.run(rows_of(settings))
    for row in rows:
        anew = "topic_changed" if f"{row['topic']}:{row['partition']}" in changed else None
        row["stopped"] = "position_not_in_topic" if row["lost"] else anew
    return {"group": {"id": settings.kafka_group_id, **asdict(group)}, "partitions": rows, **counts, **rest}


def _print(told: dict[str, Any]) -> None:
    group = told["group"]
    console = Console()
    console.print(f"group {group['id']}: {group['state']}, {len(group['members'])} members", highlight=False)
    _table(group["members"])
    _table([{name: row[name] for name in SHOWN} for row in told["partitions"]])
    _table(told["waiting"])
    _table(told["dead_letters_by_reason"])
    for topic, reason in told["stops"].items():
        console.print(f"intake of {'all topics' if topic == '*' else topic} is stopped: {reason}", soft_wrap=True)
    waits = {"parked": told["parked_states"] + told["parked_events"]} | {n: told[n] for n in ("contested", "hidden")}
    said = ", ".join(f"{name} {number:,}" for name, number in (waits | {"dead letters": told["dead_letters"]}).items())
    console.print(f"{said}; last update {told['last_update'] or 'never'}", highlight=False, soft_wrap=True)


def _table(rows: list[dict[str, Any]]) -> None:
    if rows:
        table = Table(*(name.replace("_", " ") for name in rows[0]))
        for row in rows:
            cells = (", ".join(v) if isinstance(v, list) else v for v in row.values())
            table.add_row(*("" if cell is None else str(cell) for cell in cells))
        Console().print(table)
