"""`projector changes enable/disable/status`: the log that caches and search indexes follow."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin import changes
from neon_projector.consumer.cli.database import AsJson
from neon_projector.consumer.cli.examples import examples
from neon_projector.consumer.cli.output import print_json, print_next, print_text
from neon_projector.consumer.cli.times import ago
from neon_projector.consumer.environment import load_database_settings
from neon_projector.consumer.wording import counted, verb
from neon_projector.models.engine import create_direct_engine
from neon_projector.projections.registry import REGISTRY

T = TypeVar("T")

app = typer.Typer(
    help="The log of changes, for applications that follow the tables.",
    no_args_is_help=True,
    epilog=examples("changes status"),
)


@app.command(epilog=examples("changes enable"))
def enable(as_json: AsJson = False) -> None:
    """Note in projector.changes what changes, from now on, whoever writes: triggers on each table.

    It needs the role that migrates. The service may run; it waits for milliseconds, and for
    two seconds at most where somebody else writes.
    """
    done = _ask(lambda engine: changes.enable(engine, REGISTRY))
    said = "changes are noted from now on" if done else "nothing to do: changes are noted already"
    print_json({"changed": done}) if as_json else print_text(said)


@app.command(epilog=examples("changes disable"))
def disable(as_json: AsJson = False) -> None:
    """Drop the triggers, and empty the log. Who follows has to read everything again after the next enable."""
    done = _ask(lambda engine: changes.disable(engine, REGISTRY))
    said = "changes are no longer noted" if done else "nothing to do: no changes are noted"
    print_json({"changed": done}) if as_json else print_text(said)


@app.command(epilog=examples("changes status"))
def status(as_json: AsJson = False) -> None:
    """Show whether changes are noted, and what the log has. Exit status 1: of some tables they are, of others not."""
    told = _ask(lambda engine: changes.status(engine, REGISTRY))
    partly = bool(told["on"] and told["off"])
    if as_json:
        print_json(told)
    else:
        for line in _said(told):
            print_text(line)
        if partly:
            print_next("projector changes enable")
    raise typer.Exit(1 if partly else 0)


def _said(told: dict[str, Any]) -> list[str]:
    if not told["on"]:
        return ["off: no changes are noted"]
    if told["off"]:
        return [f"changes of {', '.join(told['off'])} are not noted: triggers are missing or switched off"]
    since = f", the oldest {ago(told['oldest'])}, the newest {ago(told['newest'])}" if told["rows"] else ""
    lines = [f"on: {', '.join(told['on'])}", f"{counted(told['rows'], 'row')} of {counted(told['ids'], 'id')}{since}"]
    if held := told["held_back"]:
        wait = f"{counted(held, 'row')} {verb(held, 'is', 'are')} held back from followers"
        lines.append(f"{wait} by a transaction that is open since before")
    return lines


def _ask(question: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    """The answer over the connection of `projector migrate`, as only the owner of the tables may make triggers."""

    async def asked() -> T:
        engine = create_direct_engine(load_database_settings())
        try:
            return await question(engine)
        finally:
            await engine.dispose()

    return asyncio.run(asked())
