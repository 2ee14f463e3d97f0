"""Which new dead letters a command that changes something is to take."""

from dataclasses import replace

import typer

from neon_projector.consumer.admin.letters.filter import Filter
from neon_projector.consumer.admin.letters.lookup import numbers
from neon_projector.consumer.cli.database import ask
from neon_projector.consumer.errors import Refused


def choose(which: Filter, ids: list[int] | None, every: bool) -> Filter:
    """The new dead letters that are meant: by number, by a filter, or all. Refused where one that is named is none."""
    if sum((bool(ids), bool(which.given), every)) != 1:
        raise typer.BadParameter("give numbers, or a filter such as --reason, or --all")
    which = replace(which, ids=tuple(ids or ()), status="new")
    if ids and (missing := sorted(set(ids) - set(ask(lambda engine: numbers(engine, which))))):
        raise Refused(f"no new dead letter: {', '.join(map(str, missing))}")
    return which
