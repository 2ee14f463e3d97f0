"""`projector dead-letters retry/discard` and `parked discard`: a dry run without --execute."""

import sys
from typing import Annotated
from uuid import UUID

import orjson
import typer

from consumer import second_try, waiting
from consumer.cli.ask import ask
from consumer.errors import Refused
from consumer.second_try import Choice
from consumer.settings import load_settings
from projections.registry import REGISTRY

Ids = Annotated[list[int] | None, typer.Argument(help="Numbers of dead letters.")]
OfReason = Annotated[str | None, typer.Option(help="All new ones of this reason.")]
Every = Annotated[bool, typer.Option("--all", help="All new ones.")]
Execute = Annotated[bool, typer.Option("--execute", help="Do it. Without: a dry run.")]
Yes = Annotated[bool, typer.Option("--yes", help="Don't ask.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


def retry(
    ids: Ids = None, reason: OfReason = None, every: Every = False, execute: Execute = False, yes: Yes = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Try them again with today's code: rejected again counts as an attempt, else they are resolved."""
    choice = _choice(ids, reason, every)
    letters = ask(lambda engine: second_try.chosen(engine, choice))
    if not execute:
        _say({"would_retry": len(letters)}, as_json)
        return
    _confirm(f"retry {len(letters)} dead letters?", yes)
    settings = load_settings()
    _say(ask(lambda engine: second_try.retry(engine, settings, REGISTRY, letters)), as_json)


def discard(
    ids: Ids = None, reason: OfReason = None, every: Every = False, execute: Execute = False, yes: Yes = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Give them up: they stay, as discarded."""
    choice = _choice(ids, reason, every)
    letters = ask(lambda engine: second_try.chosen(engine, choice))
    if not execute:
        _say({"would_discard": len(letters)}, as_json)
        return
    _confirm(f"discard {len(letters)} dead letters?", yes)
    _say({"discarded": ask(lambda engine: second_try.discard(engine, letters))}, as_json)


def discard_parked(entity_id: UUID, execute: Execute = False, yes: Yes = False, as_json: AsJson = False) -> None:
    """Give up what waits for or of this entity: its parked events, its state that waits. Tombstones stay."""
    if execute:
        _confirm(f"discard what waits of {entity_id}?", yes)
    found = ask(lambda engine: waiting.discard(engine, entity_id, execute=execute))
    _say({"discarded" if execute else "would_discard": found}, as_json)


def _choice(ids: list[int] | None, reason: str | None, every: bool) -> Choice:
    if sum((bool(ids), reason is not None, every)) != 1:
        raise typer.BadParameter("give numbers, or --reason, or --all")
    return Choice(tuple(ids or ()), reason, every)


def _confirm(question: str, yes: bool) -> None:
    if sys.stdin.isatty() and not yes and not typer.confirm(question):
        raise Refused("not confirmed")


def _say(found: dict[str, int], as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps(found).decode())
    else:
        typer.echo(", ".join(f"{name.replace('_', ' ')}: {number}" for name, number in found.items()))
