"""`projector status`: the whole at a glance."""

import asyncio
import sys
from typing import Annotated, Any

import typer
from rich.live import Live
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.status import status_of
from neon_projector.consumer.cli.database import AsJson, ask
from neon_projector.consumer.cli.output import console, print_json, said_error
from neon_projector.consumer.cli.pause import details
from neon_projector.consumer.cli.status_text import shown
from neon_projector.consumer.cli.told_apart import told_apart
from neon_projector.consumer.environment import load_settings
from neon_projector.consumer.errors import TransientError
from neon_projector.consumer.settings import Settings

WATCH_SECONDS = 2.0


def status(
    watch: Annotated[bool, typer.Option("--watch", help="Ask again every 2 seconds, until Ctrl-C.")] = False,
    partitions: Annotated[bool, typer.Option("--partitions", help="Each partition and each member.")] = False,
    as_json: AsJson = False,
) -> None:
    """What is wrong and what to do, then members, positions, lag, what waits and what was rejected.

    Partitions that are fine are summed up by topic. Exit status 1: the first word is STOPPED; 0: it is BEHIND, LOOK
    or OK.
    """
    settings = load_settings()
    if watch:
        ask(lambda engine: _watch(engine, settings, partitions, as_json))
    told = ask(lambda engine: status_of(engine, settings))
    _print_json(told) if as_json else console().print(shown(told, console(), every=partitions))
    raise typer.Exit(1 if told["findings"][0]["level"] == "stopped" else 0)


async def _watch(engine: AsyncEngine, settings: Settings, every: bool, as_json: bool) -> None:
    """Ask every WATCH_SECONDS, and show the answer or the error; as JSON, one line each."""
    screen = sys.stdout.isatty() and not as_json
    with Live(console=console(), screen=screen, auto_refresh=False) if screen else console() as live:
        while True:
            try:
                told = await status_of(engine, settings)
            except TransientError as trouble:
                told = {"error": said_error(await told_apart(trouble, settings))}
            if isinstance(live, Live):
                live.update(shown(told, live.console, every=every), refresh=True)
            else:
                _print_json(told) if as_json else live.print(shown(told, live, every=every))
            await asyncio.sleep(WATCH_SECONDS)


def _print_json(told: dict[str, Any]) -> None:
    print_json(told | {"intake": details(told["intake"])} if "intake" in told else told)
