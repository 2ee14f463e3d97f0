"""`projector replay`: a range read again beside the running service. A dry run without --execute."""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Annotated, Any

import typer

from neon_projector.consumer.admin.operations.operation import Operation
from neon_projector.consumer.admin.replay import run
from neon_projector.consumer.admin.replay.plan import Point, plan
from neon_projector.consumer.cli.by_topic import EveryPartition
from neon_projector.consumer.cli.database import DRY, AsJson, Execute, MaxRate, Yes, ask, confirm, is_to_ask, work
from neon_projector.consumer.cli.progress import progress
from neon_projector.consumer.cli.replay_text import print_plan, print_result
from neon_projector.consumer.cli.scope import scope_of, span_of
from neon_projector.consumer.environment import load_settings
from neon_projector.consumer.errors import Refused
from neon_projector.consumer.wording import counted
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
    max_rate: MaxRate = None,
    execute: Execute = False,
    yes: Yes = False,
    every: EveryPartition = False,
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
        print_plan(ranges, bool(key), every, as_json, DRY)
        return
    if is_to_ask(yes) and not as_json:
        print_plan(ranges, bool(key), every, False)
    confirm_size(total, yes=yes)
    asked: dict[str, Any] = {"topics": topic or ["*"], "from": _said(begin, start), "to": _said(stop, end)}
    asked |= {"keys": key, "max_rate": max_rate}
    with ExitStack() as showing:
        watching = _watching(showing, as_json)
        done = work(lambda engine: run.replay(engine, settings, REGISTRY, ranges, asked, watching))
    raise typer.Exit(print_result(done, as_json))


def resume(number: int, as_json: bool) -> int:
    """Go on with one; returns the exit status."""
    settings = load_settings()
    with ExitStack() as showing:
        watching = _watching(showing, as_json)
        done = work(lambda engine: run.resume(engine, settings, REGISTRY, number, watching))
    return print_result(done, as_json)


def confirm_size(total: int, *, yes: bool) -> None:
    """Ask once, and twice where it is much; Refused without a yes, and where much is not said yes to."""
    if not total:
        raise Refused("there is nothing in this range that the service has applied")
    confirm(f"read {counted(total, 'offset')} again?", yes)
    if total > MANY:
        if not yes and not sys.stdin.isatty():
            raise Refused(f"{counted(total, 'offset')} are more than {MANY:,}: say --yes")
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
