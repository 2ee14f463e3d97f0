"""`projector dead-letters retry`: a dry run without --execute, which says what would become of the letters."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from neon_projector.consumer.admin.letters.edited import retry_edited
from neon_projector.consumer.admin.letters.filter import Filter
from neon_projector.consumer.admin.letters.plan import IN_VAIN, Plan, plan
from neon_projector.consumer.admin.letters.redrive import Redrive
from neon_projector.consumer.admin.letters.tally import CHANGED, LOST, REJECTED, RESOLVED, Tally
from neon_projector.consumer.admin.operations import lookup
from neon_projector.consumer.cli.choice import choose
from neon_projector.consumer.cli.database import DRY, LAST, MOST, AsJson, Execute, Yes, ask, confirm, work
from neon_projector.consumer.cli.letter_filter import Every, Ids, with_filter
from neon_projector.consumer.cli.output import print_json, print_next, print_table, print_text
from neon_projector.consumer.cli.progress import progress
from neon_projector.consumer.environment import load_settings
from neon_projector.consumer.errors import Refused
from neon_projector.consumer.wording import counted, verb
from neon_projector.projections.registry import REGISTRY

SHOWN = 20
"""Letters that a table names one by one."""

Edit = Annotated[
    Path | None,
    typer.Option(
        "--edit", metavar="FILE", exists=True, dir_okay=False, allow_dash=True,
        help="Apply one letter with this value instead of its own; `-` is standard input.",
    ),
]  # fmt: skip
Details = Annotated[bool, typer.Option("--details", help="Say what became of each letter.")]
Force = Annotated[bool, typer.Option("--force", help=f"Also those that {IN_VAIN} retries did not help.")]
MaxRate = Annotated[float | None, typer.Option(min=1, max=MOST, help="Letters a second, at most.")]
AtMost = Annotated[int | None, typer.Option("--limit", min=1, max=LAST, help="Try at most so many, the oldest first.")]


@with_filter
def retry(
    which: Filter, ids: Ids = None, every: Every = False, limit: AtMost = None, force: Force = False,
    max_rate: MaxRate = None, details: Details = False, edit: Edit = None, execute: Execute = False, yes: Yes = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Apply dead letters again with today's code. One that is rejected again stays, with one attempt more.

    Letters that come while it runs are not tried. Interrupted, it goes on with `projector operations resume`.

    Exit status 1: some are rejected again, or lost (stored masked or cut, and Kafka no longer has the record).
    """
    if edit is not None:
        raise typer.Exit(_edited(which, ids or [], edit, execute, yes, as_json))
    which = choose(which, ids, every)
    planned = ask(lambda engine: plan(engine, which, limit, force=force, max_rate=max_rate))
    if not planned.total:
        raise Refused(_left_out(planned.left_out) or "there is no such new dead letter")
    settings = load_settings()
    if execute:
        confirm(f"retry {counted(planned.total, 'dead letter')}?", yes)
    with progress("retry", planned.total) as bar:
        if execute:
            number, tally = work(lambda engine: Redrive(engine, settings, REGISTRY, bar).run(planned, details=details))
        else:
            number = None
            tally = work(lambda engine: Redrive(engine, settings, REGISTRY, bar).rehearse(planned, details=details))
    _say(number, planned, tally, as_json)
    raise typer.Exit(0 if tally.is_clean else 1)


def _edited(which: Filter, ids: list[int], edit: Path, execute: bool, yes: bool, as_json: bool) -> int:
    """Try one letter with an edited value; the exit status."""
    if len(ids) != 1 or which.given:
        raise typer.BadParameter("--edit takes the number of one dead letter, and no filter")
    value = sys.stdin.buffer.read() if str(edit) == "-" else edit.read_bytes()
    settings = load_settings()
    if execute:
        confirm(f"apply dead letter {ids[0]} with another value?", yes)
    done = ask(lambda engine: retry_edited(engine, settings, REGISTRY, ids[0], value, execute=execute))
    if as_json:
        print_json({"executed": execute, **done._asdict()})
    else:
        print_table([done._asdict()])
        print_text("done" if execute and done.outcome in RESOLVED else "nothing is changed" if execute else DRY)
    return 0 if done.outcome in RESOLVED else 1


def resume(number: int, as_json: bool) -> int:
    """Go on with a retry that was interrupted; the exit status."""
    settings, row = load_settings(), ask(lambda engine: lookup.shown(engine, number))
    with progress("retry", row["total"], done=row["done"]) as bar:
        tally = work(lambda engine: Redrive(engine, settings, REGISTRY, bar).resume(number))
    _say(number, None, tally, as_json)
    return 0 if tally.is_clean else 1


def _say(number: int | None, planned: Plan | None, tally: Tally, as_json: bool) -> None:
    left_out = planned.left_out if planned else 0
    if as_json:
        print_json(_document(number, left_out, tally))
        return
    if tally.details is not None:
        print_table([one._asdict() for one in tally.details[:SHOWN]])
    print_table([one._asdict() for one in sorted(tally.groups, key=lambda one: -one.letters)])
    more = len(tally.details or ()) - SHOWN
    if more > 0:
        print_text(f"and {more:,} more: --json has all")
    if left_out:
        print_text(_left_out(left_out))
    counts = f"{tally.number(REJECTED):,} rejected again, {tally.number(LOST):,} lost"
    counts += f", {tally.number(CHANGED):,} changed by somebody else meanwhile" if tally.number(CHANGED) else ""
    said = f"{tally.resolved:,} resolved, {counts}"
    print_text(f"{said}: {DRY}" if number is None else said)
    if again := [one for one in tally.groups if one.outcome == REJECTED]:
        print_next(f"projector dead-letters show {max(again, key=lambda one: one.letters).first}")


def _document(number: int | None, left_out: int, tally: Tally) -> dict[str, Any]:
    counts = {"resolved": tally.resolved, **{name: tally.number(name) for name in (REJECTED, LOST, CHANGED)}}
    groups = [one._asdict() for one in tally.groups]
    body = {"executed": number is not None, "operation": number, **counts, "left_out": left_out, "groups": groups}
    return body if tally.details is None else body | {"letters": [one._asdict() for one in tally.details]}


def _left_out(number: int) -> str:
    them = verb(number, "it", "them")
    return f"{number:,} left out: {IN_VAIN} retries did not help {them}; --force tries {them} again" if number else ""
