"""`projector operations list/show/resume/cancel`: long work that was interrupted, and what was done before."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from neon_projector.consumer.admin.letters.redrive import COMMAND as REDRIVE
from neon_projector.consumer.admin.operations import lookup
from neon_projector.consumer.admin.operations.operation import RESUMABLE
from neon_projector.consumer.admin.replay.run import COMMAND as REPLAY
from neon_projector.consumer.cli import redrive, replay
from neon_projector.consumer.cli.database import LAST, MOST, AsJson, Limit, ask
from neon_projector.consumer.cli.examples import examples
from neon_projector.consumer.cli.output import json_of, print_json, print_next, print_table, print_text, said
from neon_projector.consumer.errors import Refused
from neon_projector.consumer.wording import first_of

Number = Annotated[int, typer.Argument(min=1, max=LAST, help="As `projector operations list` shows it.")]
Unfinished = Annotated[bool, typer.Option("--unfinished", help="Only what runs, or can be resumed.")]
Row = dict[str, Any]

NAMED = 3
"""So many things that an operation was about are named."""
LONGEST = 400
"""Characters of a filter, of ranges and so on that are shown to people."""


def _verify(operation_id: int, as_json: bool) -> int:
    from neon_projector.consumer.cli import verify  # noqa: PLC0415  fast --help

    return verify.resume(operation_id, as_json)


def _rebuild(operation_id: int, as_json: bool) -> int:
    from neon_projector.consumer.cli import rebuild  # noqa: PLC0415  fast --help

    return rebuild.resume(operation_id, as_json)


def _undo(operation_id: int, as_json: bool) -> int:
    from neon_projector.consumer.cli import undo  # noqa: PLC0415  fast --help

    return undo.resume(operation_id, as_json)


RESUMES: dict[str, Callable[[int, bool], int]] = {
    REDRIVE: redrive.resume, REPLAY: replay.resume, "verify": _verify, "rebuild": _rebuild, "undo": _undo,
}  # fmt: skip
"""By command: goes on with an operation (its id, whether to print JSON), and returns the exit status."""

app = typer.Typer(
    help="What commands have done; long work to resume or cancel.",
    no_args_is_help=True,
    epilog=examples("operations list"),
)


@app.command("list", epilog=examples("operations list --unfinished"))
def list_operations(unfinished: Unfinished = False, limit: Limit = 20, as_json: AsJson = False) -> None:
    """List operations, the newest first: what was run, about what, by whom, and how it ended or how far it is."""
    rows = ask(lambda engine: lookup.listed(engine, limit, unfinished=unfinished))
    if as_json:
        print_json(rows)
        return
    print_table([
        {"id": row["id"], "command": _command(row), "state": _state(row), "progress": _progress(row),
         "started": row["started_at"], "by": row["actor"]}
        for row in rows
    ])  # fmt: skip


@app.command(epilog=examples("operations show 17"))
def show(number: Number, as_json: AsJson = False) -> None:
    """Show one operation: its filter, its ranges, and its outcome."""
    row = ask(lambda engine: lookup.shown(engine, number))
    if as_json:
        print_json(row)
        return
    told = {"command": row["command"], "by": row["actor"], "state": _state(row), "progress": _progress(row)}
    told |= {"started": row["started_at"], "ended": row["finished_at"]}
    told |= {name: row[name] for name in ("filter", "ranges", "position", "before", "after", "outcome", "error")}
    told |= {"undo file": _undo_file(row)}
    for name, value in told.items():
        if value not in (None, ""):
            print_text(f"{name:>9}  {_shortened(json_of(value)) if isinstance(value, dict) else said(value)}")
    if row["state"] in RESUMABLE and row["command"] in RESUMES:
        print_next(f"projector operations resume {number}")
        print_text(f"or, to give it up: projector operations cancel {number}")


def _undo_file(row: Row) -> str | None:
    """Where what was there before a rebuild is; also an old operation names it, whose file was deleted since."""
    path = (row["position"] or {}).get("undo")
    if path is None:
        return None
    try:
        Path(path).stat()
    except OSError:
        return f"{path} is not here any more: it was deleted, or is on another machine"
    return str(path)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… (--json has all)"


@app.command(epilog=examples("operations resume 17", "operations resume 17 --max-rate 500"))
def resume(
    number: Number,
    max_rate: Annotated[
        float | None,
        typer.Option(min=0, max=MOST, help="Another rate than it began with, a second; 0: without a limit."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Continue an operation from its last committed step. A runner that is still at work changes nothing any more."""
    row = ask(lambda engine: lookup.shown(engine, number))
    if row["command"] not in RESUMES:
        raise Refused(f"operation {number} is of `{row['command']}`, which was done in one step")
    if max_rate is not None:
        ask(lambda engine: lookup.limit(engine, number, max_rate or None))
    raise typer.Exit(RESUMES[row["command"]](number, as_json))


@app.command(epilog=examples("operations cancel 17"))
def cancel(number: Number, as_json: AsJson = False) -> None:
    """End an operation for good. Its runner stops within seconds. What is committed stays, side tables do not."""
    row = ask(lambda engine: lookup.cancel(engine, number))
    print_json(row) if as_json else print_text(f"cancelled: {row['command']}, {_progress(row) or 'nothing done yet'}")


def _command(row: Row) -> str:
    """`replay of users:0,1`: in one column, as two would not fit beside the others."""
    return f"{row['command']} of {first_of(row['about'], NAMED)}" if row["about"] else str(row["command"])


def _state(row: Row) -> str:
    return (
        f"{row['state']}; no sign of life for {said(row['updated_at']).removesuffix(' ago')}"
        if row["silent"]
        else str(row["state"])
    )


def _progress(row: Row) -> str | None:
    """`1,200 of 3,000, 600/s`, without a rate where it has been resumed; None where it was done in one step."""
    done, total, seconds = row["done"], row["total"], row["seconds"] if row["epoch"] == 1 else None
    if total is None and not done:
        return None
    of = "" if total is None else f" of {total:,}"
    rate = f", {done / seconds:,.0f}/s" if done and seconds else ""
    return f"{done:,}{of}{rate}"
