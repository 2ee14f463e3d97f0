"""What commands print: JSON for programs, tables for people. Nothing is cut: an id is copied from here.

What a command prints goes through here, as it may be of a record: no character of it commands the terminal.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from neon_projector.consumer.logs.printable import printable, printable_json

ID_WIDTH, LEAST_WIDTH = 39, 8
"""What a column of ids takes, and what one of anything else needs at the least."""
WIDEST = 10_000
"""Columns where nobody looks at a terminal: no row is folded."""


def console() -> Console:
    """Standard output; as wide as it takes where that is no terminal."""
    return Console() if sys.stdout.isatty() else Console(width=WIDEST)


def print_json(value: Any) -> None:
    typer.echo(json_of(value))


def json_of(value: Any) -> str:
    """`value` as one line of JSON."""
    return printable_json(orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode())


def print_table(rows: Sequence[Mapping[str, Any]], on: Console | None = None) -> None:
    """A table of `rows`, which have the same keys; `nothing` where there are none."""
    on = on or console()
    on.print(table_of(rows, on.width) if rows else "nothing")


def table_of(rows: Sequence[Mapping[str, Any]], width: int) -> Table:
    """A table for `width` columns: what is too long is folded, ids only where there is no room for them."""
    table = Table()
    ids = {name for name in rows[0] if any(isinstance(row[name], UUID) for row in rows)}
    room = width >= len(ids) * ID_WIDTH + (len(rows[0]) - len(ids)) * LEAST_WIDTH
    for name in rows[0]:
        table.add_column(name.replace("_", " "), overflow="fold", no_wrap=room and name in ids)
    for row in rows:
        table.add_row(*map(_cell, row.values()))
    return table


def print_text(text: str) -> None:
    """A sentence that the terminal itself wraps."""
    Console().print(plain(text), soft_wrap=True)


def plain(text: str) -> Text:
    """`text` as it is, neither markup nor a command to the terminal."""
    return Text(printable(text))


def _cell(value: Any) -> Text:
    if value is None:
        return Text()
    return plain(", ".join(map(str, value)) if isinstance(value, list) else str(value))
