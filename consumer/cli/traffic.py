"""`projector traffic`: who sends how much."""

from contextlib import ExitStack
from typing import Annotated

import typer

from neon_projector.consumer.admin.traffic.counting import By
from neon_projector.consumer.admin.traffic.ranges import SAMPLE, Asked
from neon_projector.consumer.admin.traffic.traffic import traffic_of
from neon_projector.consumer.cli.database import AsJson, Limit, work
from neon_projector.consumer.cli.progress import progress
from neon_projector.consumer.cli.scope import scope_of, span_of
from neon_projector.consumer.cli.traffic_text import print_traffic
from neon_projector.consumer.environment import load_settings

MOST = 20
POINT = "An offset; RFC 3339 with a zone; or an ISO 8601 duration back from now (PT1H)."


def traffic(
    topic: Annotated[
        list[str] | None, typer.Option(help="t, or t:0,1 for some partitions; may be repeated. Default: all topics.")
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", help=f"{POINT} Default: PT10M, or what is not applied yet.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help=f"{POINT} It is not read itself.")] = None,
    by: Annotated[By, typer.Option(help="A row for each source, or also for each type or entity of it.")] = By.SOURCE,
    every: Annotated[
        bool, typer.Option("--all", help=f"Read all records. Default: the newest {SAMPLE:,} of each topic.")
    ] = False,
    limit: Limit = MOST,
    as_json: AsJson = False,
) -> None:
    """Show who sends how much, good records or bad ones, read beside the service. Changes nothing.

    A source is what the records say of themselves; nobody has checked it. No content of a record is shown.
    """
    begin, stop = span_of(start, end)
    settings = load_settings()
    asked = Asked(scope_of(sorted(set(settings.topics.values())), topic or []), begin, stop)
    with ExitStack() as showing:
        bar = showing.enter_context(progress("read", quiet=as_json))
        told = work(lambda engine: traffic_of(engine, settings, asked, by, bar, every=every))
    print_traffic(told, limit, as_json)
