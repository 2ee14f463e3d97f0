"""`projector operations list/show/resume/cancel`: long work that was interrupted, and what was done before."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import typer

from neon_projector.consumer.admin.operations import lookup
from neon_projector.consumer.admin.operations.operation import RESUMABLE
from neon_projector.consumer.cli.database import AsJson, Limit, ask
from neon_projector.consumer.cli.output import print_json, print_table, print_text
from neon_projector.consumer.errors import Refused

Number = Annotated[int, typer.Argument(min=1, max=2**63 - 1, help="As `projector operations list` shows it.")]
Unfinished = Annotated[bool, typer.Option("--unfinished", help="Only what runs, or can be resumed.")]
Row = dict[str, Any]

RESUMES: dict[str, Callable[[int, bool], int]] = {}
"""By command: goes on with an operation (its id, whether to print JSON), and returns the exit status."""

app = typer.Typer(help="What commands have done; long work to resume or cancel.", no_args_is_help=True)


@app.command("list")
def list_operations(unfinished: Unfinished = False, limit: Limit = 20, as_json: AsJson = False) -> None:
    """The newest first: what was run, by whom, and how it ended or how far it is.

    Example: projector operations list --unfinished
    """
    rows = ask(lambda engine: lookup.listed(engine, limit, unfinished=unfinished))
    if as_json:
        print_json(rows)
        return
    print_table([
        {"id": row["id"], "command": row["command"], "state": _state(row), "progress": _progress(row),
         "started": _time(row["started_at"]), "by": row["actor"]}
        for row in rows
    ])  # fmt: skip


@app.command()
def show(number: Number, as_json: AsJson = False) -> None:
    """One, with its filter, its ranges, and what became of it.

    Example: projector operations show 17
    """
    row = ask(lambda engine: lookup.shown(engine, number))
    if as_json:
        print_json(row)
        return
    told = {"command": row["command"], "by": row["actor"], "state": _state(row), "progress": _progress(row)}
    told |= {"started": _time(row["started_at"]), "ended": row["finished_at"] and _time(row["finished_at"])}
    told |= {name: row[name] for name in ("filter", "ranges", "position", "before", "after", "outcome", "error")}
    for name, value in told.items():
        if value not in (None, ""):
            print_text(f"{name:>9}  {value}")
    if row["state"] in RESUMABLE and row["command"] in RESUMES:
        print_text(
            f"to go on: projector operations resume {number}; to give it up: projector operations cancel {number}"
        )


@app.command()
def resume(number: Number, as_json: AsJson = False) -> None:
    """Go on from the last committed step. A runner that is still at work is fenced: it changes nothing any more.

    Example: projector operations resume 17
    """
    row = ask(lambda engine: lookup.shown(engine, number))
    if row["command"] not in RESUMES:
        raise Refused(f"operation {number} is of `{row['command']}`, which was done in one step")
    raise typer.Exit(RESUMES[row["command"]](number, as_json))


@app.command()
def cancel(number: Number, as_json: AsJson = False) -> None:
    """End it for good; a runner stops within seconds. What is committed stays, what it kept aside goes.

    Example: projector operations cancel 17
    """
    row = ask(lambda engine: lookup.cancel(engine, number))
    print_json(row) if as_json else print_text(f"cancelled: {row['command']}, {_progress(row) or 'nothing done yet'}")


def _state(row: Row) -> str:
    return f"{row['state']}; no sign of life since {_time(row['updated_at'])}" if row["silent"] else str(row["state"])


def _progress(row: Row) -> str | None:
    """`1,200 of 3,000, 600/s`; None where the command was done in one step."""
    done, total, seconds = row["done"], row["total"], row["seconds"]
    if total is None and not done:
        return None
    of = "" if total is None else f" of {total:,}"
    rate = f", {done / seconds:,.0f}/s" if done and seconds else ""
    return f"{done:,}{of}{rate}"


def _time(at: datetime) -> str:
    return at.isoformat(" ", "seconds")
