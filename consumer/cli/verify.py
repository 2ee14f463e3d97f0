"""`projector verify`."""

import asyncio

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from neon_projector.consumer.admin.verify import Report
from neon_projector.consumer.admin.verify import verify as run
from neon_projector.consumer.cli.output import print_json, print_text
from neon_projector.consumer.environment import load_settings
from neon_projector.consumer.settings import Settings
from neon_projector.models.engine import create_service_engine
from neon_projector.projections.registry import REGISTRY

SHOWN = 50
"""Differences that the table for people lists."""


def verify(*, as_json: bool) -> int:
    """Returns the exit status: 1 where anything differs, or can't be proved."""
    report = asyncio.run(_verify(load_settings(), as_json))
    if as_json:
        print_json(report)
    else:
        _print(report)
    return 1 if report.differences or report.unprovable else 0


async def _verify(settings: Settings, quiet: bool) -> Report:
    engine = create_service_engine(settings)
    columns = (TextColumn("reading the topics"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True) as bar:
        task = bar.add_task("")
        try:
            return await run(
                engine, settings, REGISTRY, lambda done, total: bar.update(task, completed=done, total=total)
            )
        finally:
            await engine.dispose()


def _print(report: Report) -> None:
    console = Console()
    if report.differences:
        table = Table("table", "id", "what", "version must be", "version is")
        for d in report.differences[:SHOWN]:
            table.add_row(d.table, str(d.id), d.kind, str(d.expected_version or "-"), str(d.found_version or "-"))
        console.print(table)
    for partition in report.unprovable:
        print_text(f"{partition}; the tables can't be proved from it")
    rows = ", ".join(f"{number:,} {table}" for table, number in report.rows.items())
    verdict = f"{len(report.differences):,} differ" if report.differences else _unless_empty(report)
    console.print(f"{rows} compared with {report.records:,} records: {verdict}", highlight=False, soft_wrap=True)
    if report.waiting:
        console.print(f"{report.waiting:,} that wait or are deleted were compared too", highlight=False, soft_wrap=True)
    if report.left_out:
        console.print(
            f"{report.left_out:,} left out: contested, refused, erased, one version said twice, or below these",
            highlight=False,
            soft_wrap=True,
        )


def _unless_empty(report: Report) -> str:
    if not report.records and not any(report.rows.values()):
        return "there is nothing to compare"
    return "all that could be read says the same" if report.unprovable else "all are what the topics say"
