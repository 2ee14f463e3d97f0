"""Many partitions are shown summed up, a row for each topic; few ones, or all where asked, a row for each partition."""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, TypeVar

import typer

from neon_projector.consumer.cli.output import print_table, print_text, said_more

Row = dict[str, Any]
T = TypeVar("T")

FEW = 16
"""So many partitions are listed unasked."""
LINES = 10
"""So many partitions that something is to be said about have a line each."""

EveryPartition = Annotated[
    bool,
    typer.Option("--partitions", help="List each partition, however many there are. Default: a row for each topic."),
]


def print_partitions(
    ones: Sequence[T],
    topic_of: Callable[[T], str],
    row: Callable[[T], Row],
    total: Callable[[list[T]], Row],
    *,
    every: bool,
) -> None:
    """A table of `ones`, each of a partition, by `row`; of many by `total` of those of each topic."""
    if every or len(ones) <= FEW:
        print_table([row(one) for one in ones])
        return
    found: dict[str, list[T]] = {}
    for one in ones:
        found.setdefault(topic_of(one), []).append(one)
    print_table([{"topic": topic, "partitions": len(own), **total(own)} for topic, own in found.items()])
    print_text("--partitions lists each partition")


def print_lines(lines: Iterable[str], *, every: bool, rest: str = "--partitions lists all") -> None:
    """One sentence for each partition that something is to be said about; of many the first ones."""
    found = list(lines)
    most = len(found) if every else LINES
    for line in found[:most]:
        print_text(line)
    if more := said_more(len(found) - most, rest):
        print_text(more)
