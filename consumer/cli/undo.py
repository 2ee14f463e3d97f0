"""`projector undo FILE`: puts back what was there before a rebuild. A dry run without --execute."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.operations import lookup
from neon_projector.consumer.admin.rebuild import undo as run
from neon_projector.consumer.cli.database import DRY, AsJson, Execute, Yes, ask, confirm, work
from neon_projector.consumer.cli.output import print_json, print_next, print_text
from neon_projector.consumer.cli.progress import progress
from neon_projector.consumer.cli.streams import absolute
from neon_projector.projections.registry import REGISTRY

CLEAN = {run.BACK, run.ALREADY}


def undo(
    file: Annotated[Path, typer.Argument(help="As `projector rebuild` has named it.")],
    execute: Execute = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Put back what was there before a rebuild, where nothing has moved since.

    Exit status 1: something has moved since, or the database refused it; that stays as it is.
    """
    if execute:
        confirm("put back what was there before?", yes)

    where = absolute(file)

    async def begin(engine: AsyncEngine) -> tuple[int | None, Counter[str]]:
        with progress("undo", quiet=as_json) as bar:
            return await run.undo(engine, REGISTRY, where, bar, execute=execute)

    number, counts = work(begin)
    raise typer.Exit(_say(number, counts, as_json))


def resume(number: int, as_json: bool) -> int:
    """Go on with one; returns the exit status."""
    row = ask(lambda engine: lookup.shown(engine, number))

    async def go_on(engine: AsyncEngine) -> Counter[str]:
        with progress("undo", row["total"], done=row["done"], quiet=as_json) as bar:
            return await run.resume(engine, REGISTRY, number, bar)

    return _say(number, work(go_on), as_json)


def _say(number: int | None, counts: Counter[str], as_json: bool) -> int:
    if as_json:
        names = (run.BACK, run.ALREADY, run.MOVED, run.REFUSED, run.ERASED)
        print_json({"executed": number is not None, "operation": number, **{name: counts[name] for name in names}})
    else:
        told = {
            run.BACK: "put back", run.ALREADY: "as before already", run.MOVED: "moved since, and stay",
            run.REFUSED: "refused by the database", run.ERASED: "erased by projector forget",
        }  # fmt: skip
        said = ", ".join(f"{counts[name]:,} {words}" for name, words in told.items() if counts[name])
        print_text(said or "there is nothing in it")
        print_text(DRY) if number is None else print_next("projector verify")
    return 0 if counts.keys() <= CLEAN else 1
