"""`projector verify`."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack
from typing import TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.all_rows import require_all_rows
from neon_projector.consumer.admin.operations.rights import require_group, require_tables
from neon_projector.consumer.admin.rebuild.result import Result
from neon_projector.consumer.admin.verify.comparing import listed
from neon_projector.consumer.admin.verify.report import AHEAD, NO_DIFFERENCE, Difference, Report
from neon_projector.consumer.admin.verify.source import Tell
from neon_projector.consumer.admin.verify.verify import verify as run
from neon_projector.consumer.admin.verify.wanted import Wanted, differing
from neon_projector.consumer.cli.by_topic import print_lines
from neon_projector.consumer.cli.database import asked, interruptible
from neon_projector.consumer.cli.output import json_of, print_next, print_table, print_text, said_more
from neon_projector.consumer.cli.progress import Bar, progress
from neon_projector.consumer.environment import load_settings
from neon_projector.consumer.settings import Settings
from neon_projector.consumer.wording import counted, verb
from neon_projector.projections.registry import REGISTRY

T = TypeVar("T")

PATIENCE_SECONDS = 86_400.0
"""What one statement may take: of hundreds of millions of rows each is copied by one."""
STATUS = {"equal": 0, "differs": 1, AHEAD: 1, "unprovable": 5}
"""The exit status of each verdict."""
ENTITIES = {str(projection.table.name): projection.entity for projection in REGISTRY}
"""By table what a row of it is."""
SHOWN, IN_JSON = 20, 1_000
"""So many differences are listed, unless --max-differences says otherwise."""


def verify(wanted: Wanted, recheck: int | None, most: int | None, *, as_json: bool) -> int:
    """Compare; returns the exit status. BadParameter for an entity that there is not, or two kinds of choice."""
    known_entities(wanted, recheck, "--recheck")

    async def work(engine: AsyncEngine, settings: Settings) -> Report:
        only = wanted if recheck is None else await differing(engine, recheck, wanted.max_rate)
        return await _run(engine, settings, only, None, most, as_json)

    return _status(do(work), as_json)


def known_entities(wanted: Wanted, of_operation: int | None, option: str) -> None:
    """BadParameter where there is no such entity, or it is chosen in two ways."""
    known = [projection.entity for projection in REGISTRY]
    if unknown := [one for one in wanted.entities if one not in known]:
        raise typer.BadParameter(f"--entity {unknown[0]}: expected one of {', '.join(known)}")
    if of_operation is not None and (wanted.entities or wanted.ids):
        raise typer.BadParameter(f"{option} says itself what is compared: give neither --entity nor --id with it")
    if wanted.by_key and not wanted.ids:
        raise typer.BadParameter("--by-key reads the partitions of an --id: give one")


def resume(operation_id: int, as_json: bool) -> int:
    """Go on with one that was interrupted; returns the exit status."""
    return _status(do(lambda e, s: _run(e, s, Wanted(), operation_id, None, as_json)), as_json)


def do(work: Callable[[AsyncEngine, Settings], Awaitable[T]]) -> T:
    """Run it, with statements that may take long. FatalError where the database does not let it keep
    tables, or see all rows."""
    settings = load_settings().model_copy(update={"db_statement_timeout": PATIENCE_SECONDS})

    async def allowed(engine: AsyncEngine) -> T:
        await require_tables(engine)
        await require_all_rows(engine, REGISTRY)
        await require_group(engine, settings.kafka_group_id)
        return await work(engine, settings)

    return interruptible(lambda: asked(settings, allowed))


def _status(report: Report, as_json: bool) -> int:
    if not as_json:
        _print(report)
    return STATUS[report.verdict]


async def _run(
    engine: AsyncEngine, settings: Settings, wanted: Wanted, resumed: int | None, most: int | None, as_json: bool
) -> Report:
    with Bars(as_json) as tell:
        report = await run(engine, settings, REGISTRY, wanted, tell, resumed)
    shown = IN_JSON if as_json else SHOWN
    found = listed(engine, report.operation, shown if most is None else most)
    await (_stream(found, report) if as_json else _list(found, report))
    return report


async def _stream(found: AsyncIterator[Difference], report: Report) -> None:
    """One JSON object; its differences are printed as they come, whatever their number."""
    out, comma = sys.stdout, ""
    typer.echo('{"differences":[', nl=False)
    async for difference in found:
        typer.echo(comma + json_of(difference), nl=False)
        comma = ","
    typer.echo("]," + json_of(report.as_json())[1:])
    out.flush()


async def _list(found: AsyncIterator[Difference], report: Report) -> None:
    if not report.kinds:
        return
    rows = [
        {
            "table": one.table.removeprefix("projector."),
            "id": one.id,
            "what": one.kind if one.columns is None else f"{one.kind}: {', '.join(one.columns)}",
            "version must be": one.expected_version,
            "is": one.found_version,
        }
        async for one in found
    ]
    if rows:
        print_table(rows)
    if (number := sum(report.kinds.values())) > len(rows):
        print_text(said_more(number - len(rows), "--max-differences lists more"))


def _print(report: Report) -> None:
    unproved = (f"{partition}; the tables can't be proved from it" for partition in report.unprovable)
    print_lines(unproved, every=False, rest="--json has all")
    print_lines(report.without_position, every=False, rest="--json has all")
    rows = ", ".join(counted(number, ENTITIES[table]) for table, number in report.rows.items())
    print_text(f"{rows} compared with {counted(report.records, 'record')}: {_verdict(report)}")
    if report.waiting:
        said = f"{report.waiting:,} that {verb(report.waiting, 'waits or is', 'wait or are')} deleted compared too"
        print_text(said)
    if number := report.kinds.get("unprovable"):
        print_text(f"{number:,} can't be proved: the topics no longer have the records, or say too many things")
    if open_ := ", ".join(f"{n:,} {reason}" for reason, n in report.open.items() if n):
        print_text(f"compared as far as the definition goes: {open_}")
    print_by_key(report)
    if number := report.kinds.get(AHEAD):
        print_text(ahead_of_positions(number))
    if report.differing:
        print_next(f"projector rebuild --from-verify {report.operation}")
    elif number:
        print_next(f"projector verify --recheck {report.operation}")


def print_by_key(found: Report | Result) -> None:
    """What was left out, where only a part of the partitions was read."""
    if found.by_key is not None:
        print_text(
            f"only {len(found.by_key)} of {counted(found.partitions, 'partition')} were read, where the keys go. "
            "Without --by-key all are: also what a publisher has put elsewhere, and what hung on it and no longer does "
            "in the tables"
        )


def ahead_of_positions(number: int) -> str:
    """What it means, and what to do."""
    are, them = verb(number, "is", "are"), verb(number, "it", "them")
    return (
        f"{number:,} {are} ahead of the positions: the service had read more of {them} before its positions were set "
        f"back or deleted. This is no fault, and rebuild leaves {them} alone. Let `projector run` go on until "
        "`projector status` shows no lag; then verify again"
    )


def _verdict(report: Report) -> str:
    if report.differing:
        kinds = ", ".join(f"{n:,} {kind}" for kind, n in sorted(report.kinds.items()) if kind not in NO_DIFFERENCE)
        return f"{report.differing:,} {verb(report.differing, 'differs', 'differ')} ({kinds})"
    if not report.records and not any(report.rows.values()):
        return "there is nothing to compare"
    if report.verdict == AHEAD:
        return "nothing else differs"
    if report.verdict == "equal" and not report.waiting and not any(report.rows.values()):
        return "nothing is there, as the topics say"
    return "all that could be read says the same" if report.verdict == "unprovable" else "all are what the topics say"


class Bars(Tell):
    """One bar after the other: what is read, what is folded, and the comparison, whose length nobody knows."""

    def __init__(self, quiet: bool) -> None:
        self._quiet, self._shown, self._what = quiet, ExitStack(), ""
        self._bar = Bar("", None)

    def __enter__(self) -> "Bars":
        return self

    def __exit__(self, *_: object) -> None:
        self._shown.close()

    def at(self, what: str, done: int, total: int | None) -> None:
        if what != self._what:
            self._shown.close()
            self._what, self._bar = what, self._shown.enter_context(progress(what, total, done=done, quiet=self._quiet))
        self._bar(done, total)

    def said(self, sentence: str) -> None:
        typer.echo(sentence, err=True)
