"""The answer of `status` as people read it: what is wrong, then what is fine in few lines, however large it all is."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console, Group, RenderableType

from neon_projector.consumer.admin.trouble import by_topic, troubled
from neon_projector.consumer.cli.output import next_line, plain, said, said_more, table_of
from neon_projector.consumer.cli.pause import described
from neon_projector.consumer.schema.foreign_keys import ForeignKey
from neon_projector.consumer.wording import counted, span, verb

Row = dict[str, Any]

ALL = 10**9
"""Rows of a table that has one for each of a few reasons."""
SHOWN = 10
"""So many members, and so many partitions in trouble, are listed."""
FEW = 4
"""So many partitions of a member are named."""
REST = "--partitions lists all"


def shown(told: Row, on: Console, *, every: bool) -> RenderableType:
    """With `every`, each partition and each member is listed."""
    if "error" in told:
        return plain(str(told["error"]))
    parts: list[RenderableType] = []
    for one in told["findings"]:
        parts.append(plain(f"{one['level'].upper()}: {one['says']}"))
        parts += [next_line(one["next"])] if one["next"] else []
    group, most = told["group"], ALL if every else SHOWN
    members = f"Group {group['id']} ({group['state']}, {counted(len(group['members']), 'member')})"
    listed = told["partitions"] if every else troubled(told)
    parts += _table(members, [_member(one, every) for one in group["members"]], most, on)
    parts += ["", *(plain(_topic(row)) for row in by_topic(told["partitions"]))]
    parts += _table("Partitions" if every else "In trouble", [_partition(row) for row in listed], most, on)
    parts += _lines([line for row in told["partitions"] if (line := _held_back(row))], most)
    parts += _table("What waits", told["waiting"], ALL, on)
    parts += _table("Dead letters", told["dead_letters_by_reason"], ALL, on)
    parts += _table("Most rejected in the last 10 minutes", told["rejected_lately"], ALL, on)
    parts += _table("Ignored, as their type is unknown", [_unknown(row) for row in told["unknown_types"]], SHOWN, on)
    parts += _table("Read without a field", [_unknown(row) for row in told["misnamed_fields"]], SHOWN, on)
    parts += [plain(described(stop)) for stop in told["intake"]]
    parts += _lines([f"WARNING: {ForeignKey(**one)}" for one in told["foreign_keys"]], most)
    return Group(*parts, "", plain(_counts(told)))


def _table(title: str, rows: list[Row], most: int, on: Console) -> Iterator[RenderableType]:
    if rows:
        yield from ("", plain(title), table_of(rows[:most], on))
        yield from _more(len(rows) - most)


def _lines(lines: list[str], most: int) -> Iterator[RenderableType]:
    yield from map(plain, lines[:most])
    yield from _more(len(lines) - most)


def _more(number: int) -> Iterable[RenderableType]:
    return [plain(said_more(number, REST))] if number > 0 else []


def _member(member: Row, every: bool) -> Row:
    held = member["partitions"]
    if every or len(held) <= FEW:
        return member
    topics = Counter(name.rpartition(":")[0] for name in held)
    return member | {"partitions": [f"{topic}: {number}" for topic, number in topics.items()]}


def _unknown(row: Row) -> Row:
    names = ("topic", "name", "number", "source", "last_at")
    return {"did you mean": row["resembles"] or "-"} | {name: row[name] for name in names}


def _topic(row: Row) -> str:
    """`users: 64 partitions, 1,200 records behind, the oldest for 3 min, 2 stopped`."""
    behind = f"{row['topic']}: {counted(row['partitions'], 'partition')}, {counted(row['behind'], 'record')} behind"
    oldest = f", the oldest for {span(row['oldest'])}" if row["behind"] and row["oldest"] is not None else ""
    return behind + oldest + (f", {row['stopped']:,} stopped" if row["stopped"] else "")


def _partition(row: Row) -> Row:
    return {
        "partition": f"{row['topic']}:{row['partition']}",
        "position": row["next_offset"],
        "lag": row["lag"],
        "oldest": None if row["lag_seconds"] is None else span(row["lag_seconds"]),
        "read by": row["member"] and short_name(row["member"]),
        "stopped": row["stopped"],
    }


def short_name(member: str) -> str:
    """A member's name with the first 8 digits of the UUID that it ends with: the table of members has all of it."""
    return re.sub(r"([0-9a-f]{8})(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", r"\1…", member)


def _held_back(row: Row) -> str:
    number, seconds = row["open_transaction_records"], row["open_transaction_seconds"]
    if not number:
        return ""
    age = "" if seconds is None else f", whose first record is {span(seconds)} old"
    waits = f"{counted(number, 'record')} {verb(number, 'waits', 'wait')}"
    return f"{row['topic']}:{row['partition']}: {waits} behind an open transaction{age}"


def _counts(told: Row) -> str:
    waits = {"parked": told["parked_states"] + told["parked_events"]} | {n: told[n] for n in ("contested", "hidden")}
    counts = [f"{name} {number:,}" for name, number in (waits | {"dead letters": told["dead_letters"]}).items()]
    return f"{', '.join(counts)}; last update {said(told['last_update']) or 'never'}"
