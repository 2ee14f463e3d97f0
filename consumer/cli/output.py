"""What commands print: JSON for programs, tables for people. Nothing is cut: an id is copied from here.

What a command prints goes through here, as it may be of a record: no character of it commands the terminal.
"""

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
import typer
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from neon_projector.consumer.cli.times import ago
from neon_projector.consumer.errors import ProjectorError, TransientError
from neon_projector.consumer.logs.printable import printable, printable_json

GAP = 2
"""Between two columns of a table."""
WIDEST = 10_000
"""Columns where nobody looks at a terminal: no row is folded."""


def console() -> Console:
    """Standard output; as wide as it takes where that is no terminal."""
    return Console() if on_terminal() else Console(width=WIDEST)


def on_terminal() -> bool:
    """Whether a person looks at standard output."""
    return sys.stdout.isatty()


def print_json(value: Any) -> None:
    typer.echo(json_of(value))


def json_of(value: Any) -> str:
    """`value` as one line of JSON."""
    return printable_json(orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode())


def print_table(rows: Sequence[Mapping[str, Any]], on: Console | None = None) -> None:
    """A table of `rows`, which have the same keys; `nothing` where there are none."""
    on = on or console()
    on.print(table_of(rows, on) if rows else "nothing")


def print_first(rows: Sequence[Mapping[str, Any]], most: int, rest: str) -> None:
    """A table of at most so many of `rows`; where there are more, how many, and `rest` says how to see them."""
    print_table(rows[:most])
    if more := said_more(len(rows) - most, rest):
        print_text(more)


def said_more(number: int, rest: str) -> str:
    """`and 40 more: --json has all`; nothing where there are none."""
    return f"and {number:,} more: {rest}" if number > 0 else ""


def table_of(rows: Sequence[Mapping[str, Any]], on: Console) -> Table:
    """A table that fits the console, without columns that are empty. Where whole words, ids and times have no room
    beside each other, each row is a block of lines, one for each column that has a value."""
    names = [name for name in rows[0] if any(row[name] not in (None, [], "") for row in rows)] or list(rows[0])
    cells = {_heading(name): [_cell(row[name]) for row in rows] for name in names}
    least = {_heading(name): max(map(_least, [_heading(name), *(row[name] for row in rows)])) for name in names}
    spare = on.width - sum(least.values()) - GAP * len(cells)
    if spare < 0:
        return _blocks(rows)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for heading, own in cells.items():
        wanted = max(cell.cell_len for cell in [Text(heading), *own]) - least[heading]
        more = min(wanted, spare)
        spare -= more
        table.add_column(heading, overflow="fold", width=least[heading] + more)
    for row in zip(*cells.values(), strict=True):
        table.add_row(*row)
    return table


def print_text(text: str) -> None:
    """A sentence: on a terminal in lines of whole words, elsewhere one line."""
    console().print(plain(text), highlight=False)


def print_next(command: str, label: str = "Next") -> None:
    """The command to run next, or what `label` says it is for, on one line, so that a person can copy it."""
    console().print(next_line(command, label), soft_wrap=True, highlight=False)


def next_line(command: str, label: str = "Next") -> Text:
    """`Next: …`, which is never folded."""
    line = plain(f"{label}: {command}")
    line.no_wrap, line.overflow = True, "ignore"
    return line


def said_error(error: ProjectorError) -> str:
    """An error in one line: of a server that does not answer, which one."""
    if type(error) is not TransientError:
        return str(error)
    server = "Kafka (KAFKA_BOOTSTRAP_SERVERS)" if error.reason == "kafka" else "the database (NEON_DATABASE_URL)"
    return f"{server} does not answer as it should: {error.detail or error.reason}. Trying again may help"


def plain(text: str) -> Text:
    """`text` as it is, neither markup nor a command to the terminal."""
    return Text(printable(text))


def said(value: Any) -> str:
    """One value for people: a time is `3 min ago`, a list has commas, None is empty."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return ago(value)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def place(row: Mapping[str, Any]) -> str:
    """Where a record is: `users:0 offset 17`."""
    return f"{row['topic']}:{row['partition']} offset {row['offset']}"


def _blocks(rows: Sequence[Mapping[str, Any]]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    for row in rows:
        for name, value in row.items():
            if value is not None:
                grid.add_row(_heading(name), _cell(value))
        grid.add_row()
    return grid


def _least(value: Any) -> int:
    """The columns that a value needs: its longest word; of a time all of it."""
    shown = _cell(value)
    return shown.cell_len if isinstance(value, datetime) else max(map(cell_len, shown.plain.split()), default=0)


def _heading(name: str) -> str:
    return name.replace("_", " ")


def _cell(value: Any) -> Text:
    return plain(said(value))
