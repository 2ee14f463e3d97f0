"""`projector dead-letters retry`: a dry run without --execute, which tells what would become of each letter."""

import typer

from neon_projector.consumer.admin.letters.filter import Filter
from neon_projector.consumer.admin.letters.lookup import numbers as numbers_of
from neon_projector.consumer.admin.redrive import LetterRetry, Tried
from neon_projector.consumer.cli.database import DRY, AsJson, Execute, Yes, ask, confirm
from neon_projector.consumer.cli.discard import choose
from neon_projector.consumer.cli.letter_filter import Every, Ids, with_filter
from neon_projector.consumer.cli.output import print_json, print_table
from neon_projector.consumer.environment import load_settings
from neon_projector.projections.registry import REGISTRY

SHOWN = 50


@with_filter
def retry(
    which: Filter, ids: Ids = None, every: Every = False, execute: Execute = False, yes: Yes = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Apply dead letters again with today's code. One that is rejected again stays, with one attempt more.

    Exit status 1: some are rejected again, or lost (stored masked or cut, and Kafka no longer has the record).
    """
    which, _ = choose(which, ids, every)
    numbers = ask(lambda engine: numbers_of(engine, which))
    settings = load_settings()
    if execute:
        confirm(f"retry {len(numbers)} dead letters?", yes)
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
    print_json({**body, "lost": counts["lost"], "letters": letters})


def _print(tried: Tried, execute: bool) -> None:
    rows = []
    for number, outcome in sorted(tried.outcomes.items())[:SHOWN]:
        again = tried.rejected.get(number)
        reason, error = (again.reason.value, again.error) if again else (None, None)
        rows.append({"id": number, "outcome": outcome, "reason": reason, "error": error})
    if rows:
        print_table(rows)
    counts = tried.counts()
    said = f"{len(tried.resolved)} resolved, {counts['rejected']} rejected again, {counts['lost']} lost"
    typer.echo(said if execute else f"{said}: {DRY}")
