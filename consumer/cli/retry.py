"""`projector dead-letters retry`: a dry run without --execute, which tells what would become of each letter."""

import orjson
import typer
from rich.console import Console
from rich.table import Table

from consumer import second_try
from consumer.cli.ask import ask
from consumer.cli.letters import AsJson, Every, Execute, Ids, OfReason, Yes, _choice, _confirm
from consumer.errors import Refused
from consumer.operate.retry import LetterRetry, Tried
from consumer.settings import load_settings
from projections.registry import REGISTRY

SHOWN = 50


def retry(
    ids: Ids = None, reason: OfReason = None, every: Every = False, execute: Execute = False, yes: Yes = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Try them again with today's code: rejected again counts as an attempt, else they are resolved.

    Exit status 1: some are rejected again, or lost (kept masked or cut, and Kafka has the record no more).
    """
    choice = _choice(ids, reason, every)
    settings = load_settings()
    numbers = [letter["id"] for letter in ask(lambda engine: second_try.chosen(engine, choice))]
    if absent := set(ids or ()) - set(numbers):
        raise Refused(f"no new dead letter: {', '.join(map(str, sorted(absent)))}")
    if execute:
        _confirm(f"retry {len(numbers)} dead letters?", yes)
    tried = ask(lambda engine: LetterRetry(engine, settings, REGISTRY, execute=execute).run(numbers))
    _print_json(tried, execute) if as_json else _print(tried, execute)
    raise typer.Exit(0 if len(tried.resolved) == len(tried.outcomes) else 1)


def _print_json(tried: Tried, execute: bool) -> None:
    again = tried.rejected
    letters = [
        {"id": number, "outcome": outcome}
        | ({"reason": again[number].reason.value, "error": again[number].error} if number in again else {})
        for number, outcome in sorted(tried.outcomes.items())
    ]
    counts = tried.counts()
    body = {"executed": execute, "resolved": len(tried.resolved), "rejected": counts["rejected"]}
    typer.echo(orjson.dumps({**body, "lost": counts["lost"], "letters": letters}).decode())


def _print(tried: Tried, execute: bool) -> None:
    table = Table("id", "outcome", "reason", "error")
    for number, outcome in sorted(tried.outcomes.items())[:SHOWN]:
        again = tried.rejected.get(number)
        table.add_row(str(number), outcome, again.reason.value if again else "", again.error if again else "")
    if tried.outcomes:
        Console().print(table)
    counts = tried.counts()
    said = f"{len(tried.resolved)} resolved, {counts['rejected']} rejected again, {counts['lost']} lost"
    typer.echo(said if execute else f"{said}: a dry run, nothing is changed; --execute does it")
