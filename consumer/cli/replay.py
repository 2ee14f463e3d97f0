"""`projector replay`: a range read again beside the running service. A dry run without --execute."""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Annotated, Any

import typer

from neon_projector.consumer.admin.operations.operation import Operation
from neon_projector.consumer.admin.replay import run
from neon_projector.consumer.admin.replay.plan import Point, Range, plan
from neon_projector.consumer.cli.database import DRY, AsJson, Execute, Yes, ask, confirm, is_to_ask, work
from neon_projector.consumer.cli.output import print_json, print_table, print_text
from neon_projector.consumer.cli.progress import progress
from neon_projector.consumer.cli.scope import scope_of, span_of
from neon_projector.consumer.environment import load_settings
from neon_projector.consumer.errors import Refused
from neon_projector.projections.registry import REGISTRY

MANY = 1_000_000
"""Records; more than these want a second yes."""
POINT = "An offset; RFC 3339 with a zone; or an ISO 8601 duration back from now (PT1H)."


def replay(
    topic: Annotated[list[str] | None, typer.Option(help="t, or t:0,1 for some partitions; may be repeated.")] = None,
    all_topics: Annotated[bool, typer.Option("--all-topics", help="All partitions of all topics.")] = False,
    start: Annotated[str | None, typer.Option("--from", help=f"{POINT} Default: all that Kafka has.")] = None,
    end: Annotated[str | None, typer.Option("--to", help=f"{POINT} It is not read itself.")] = None,
    key: Annotated[list[str] | None, typer.Option(help="Only records with this key; may be repeated.")] = None,
    max_rate: Annotated[float | None, typer.Option(min=1, help="Records a second, at most.")] = None,
    execute: Execute = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Read a range again, beside the service, which is neither moved nor slowed. It restores what is missing.

    What is there already is not touched: no row is written whose version is there. At most up to the service's
    position: what it has not applied yet is its own. A dry run without --execute. Exit status 1: Kafka no longer had a
    part of the range.
    """
    if bool(topic) == all_topics:
        raise typer.BadParameter("give one scope: --topic or --all-topics")
    begin, stop = span_of(start, end)
    settings = load_settings()
    scope = scope_of(sorted(set(settings.topics.values())), topic or [])
    ranges = ask(lambda engine: plan(engine, settings, scope, begin, stop))
    total = sum(one.offsets for one in ranges)
    if not execute:
        _print_plan(ranges, bool(key), as_json)
        return
    if is_to_ask(yes) and not as_json:
        _print_plan(ranges, bool(key), False)
    confirm_size(total, yes=yes)
    asked: dict[str, Any] = {"topics": topic or ["*"], "from": _said(begin, start), "to": _said(stop, end)}
    asked |= {"keys": key, "max_rate": max_rate}
    with ExitStack() as showing:
        watching = _watching(showing, as_json)
        done = work(lambda engine: run.replay(engine, settings, REGISTRY, ranges, asked, watching))
    raise typer.Exit(_print_result(done, as_json))


def resume(number: int, as_json: bool) -> int:
    """Go on with one; returns the exit status."""
    settings = load_settings()
    with ExitStack() as showing:
        watching = _watching(showing, as_json)
        done = work(lambda engine: run.resume(engine, settings, REGISTRY, number, watching))
    return _print_result(done, as_json)


def confirm_size(total: int, *, yes: bool) -> None:
    """Ask once, and twice where it is much; Refused without a yes, and where much is not said yes to."""
    if not total:
        raise Refused("there is nothing in this range that the service has applied")
    confirm(f"read {total:,} offsets again?", yes)
    if total > MANY:
        if not yes and not sys.stdin.isatty():
            raise Refused(f"{total:,} offsets are more than {MANY:,}: say --yes")
        confirm(f"these are more than {MANY:,}; really?", yes)


def _said(point: Point | None, text: str | None) -> dict[str, Any] | None:
    return None if point is None else {"given": text, point.kind: point.value}


def _watching(showing: ExitStack, quiet: bool) -> run.Watching:
    def begun(operation: Operation) -> tuple[Callable[[int], None], Callable[[str], None]]:
        def tell(words: str) -> None:
            typer.echo(words, err=True)

        if not quiet:
            tell(f"operation {operation.id}: Ctrl-C pauses it")
        what = f"replay {operation.id}"
        bar = showing.enter_context(progress(what, operation.total, done=operation.done, quiet=quiet))
        return bar, tell

    return begun


def _print_plan(ranges: list[Range], keys: bool, as_json: bool) -> None:
    rows: list[dict[str, Any]] = [
        {"topic": r.partition.topic, "partition": r.partition.partition, "from": r.start, "to": r.end} for r in ranges
    ]
    if as_json:
        body = [{**row, "records": r.offsets, "lost": r.start - r.gone} for row, r in zip(rows, ranges, strict=True)]
        print_json({"executed": False, "total": sum(one.offsets for one in ranges), "partitions": body})
        return
    gone = [f"{r.start - r.gone:,} are gone from Kafka" if r.gone < r.start else None for r in ranges]
    print_table(
        [{**row, "records": f"{r.offsets:,}", "": words} for row, r, words in zip(rows, ranges, gone, strict=True)]
    )
    of_keys = ", of which those of the keys are applied" if keys else ""
    print_text(f"up to {sum(one.offsets for one in ranges):,} records are read{of_keys}: {DRY}")


def _print_result(operation: Operation, as_json: bool) -> int:
    result = operation.result or {}
    lost: dict[str, list[list[int]]] = result.get("lost", {})
    if as_json:
        print_json({"executed": True, "operation": operation.id, "total": operation.total, **result})
        return 1 if lost else 0
    outcomes = ", ".join(f"{name} {number:,}" for name, number in result["outcomes"].items())
    print_text(f"operation {operation.id} is done: {outcomes}; {result['left_out']:,} offsets left out")
    for partition, gaps in lost.items():
        said = ", ".join(f"{start:,} to {end - 1:,}" for start, end in gaps)
        print_text(f"{partition}: Kafka no longer has the records of the offsets {said}")
    return 1 if lost else 0
