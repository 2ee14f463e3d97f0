"""The proof: what stands in the database, row by row, beside the publisher's own truth."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from neon_projector.consumer.demo.stream.stage import PASSWORD
from neon_projector.consumer.demo.stream.truth import Row, Truth
from neon_projector.consumer.wording import counted
from neon_projector.models import CONTROL_SCHEMA
from neon_projector.models.control.waiting import DEAD_LETTERS
from neon_projector.projections.contract.outcome import TOTALS

SHOWN_DIFFERENCES = 5


@dataclass
class Check:
    """One statement of the proof; it holds where there are no differences."""

    name: str
    expected: str
    found: str
    differences: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.differences


async def prove(database_url: str, truth: Truth) -> list[Check]:
    """Compare all tables with `truth`. All records must be consumed, and nothing be written meanwhile."""
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return [
                await _rows(connection, "users: rows, all columns", "users", truth.users.by_id()),
                await _rows(connection, "documents: rows, all columns", "documents", truth.documents.by_id()),
                await _absent(connection, truth),
                await _parked(connection, truth),
                await _dead_letters(connection, truth),
                await _password(connection),
                await _positions(connection, truth),
                await _totals(connection, truth),
            ]
    finally:
        await connection.close()


async def _rows(connection: Any, name: str, table: str, expected: Mapping[Any, Row]) -> Check:
    found = {row["id"]: dict(row) for row in await connection.fetch(f"SELECT * FROM {table}")}
    return _compare(name, expected, found, "rows", lambda key: f"{table} {key}")


async def _absent(connection: Any, truth: Truth) -> Check:
    query = f"SELECT entity, id, version, reason FROM {CONTROL_SCHEMA}.absent_states"
    found = {row["id"]: dict(row) for row in await connection.fetch(query)}
    name = "states kept aside"
    return _compare(name, truth.absent.by_id(), found, "states", lambda key: f"absent_states {key}")


async def _parked(connection: Any, truth: Truth) -> Check:
    rows = await connection.fetch(f"SELECT entity, entity_id, version FROM {CONTROL_SCHEMA}.parked_events")
    found = {(r["entity"], r["entity_id"], r["version"]): {"event": "parked"} for r in rows}
    expected = {place: {"event": "parked"} for place in truth.parked}
    return _compare("parked events", expected, found, "events", lambda key: f"parked_events {key}")


async def _dead_letters(connection: Any, truth: Truth) -> Check:
    rows = await connection.fetch(f'SELECT topic, partition, "offset", reason FROM {DEAD_LETTERS}')
    found = {(row["topic"], row["partition"], row["offset"]): {"reason": row["reason"]} for row in rows}
    expected = {place: {"reason": reason} for place, reason in truth.dead_letters.items()}
    check = _compare("dead letters with reasons", expected, found, "records", lambda key: f"dead letter {key}")
    if len(rows) != len(found):
        check.differences.append(f"{counted(len(rows) - len(found), 'record')} too many among the dead letters")
    return check


async def _password(connection: Any) -> Check:
    """Bad events had a password; it must not be kept."""
    query = f"""
        SELECT topic, partition, "offset" FROM {DEAD_LETTERS} d
        WHERE position($1::bytea IN coalesce(value, '')) > 0 OR position($2 IN concat(headers, error)) > 0"""
    rows = await connection.fetch(query, PASSWORD.encode(), PASSWORD)
    differences = [f"a password in the dead letter {tuple(row)}" for row in rows]
    return Check("passwords in dead letters", "0", f"{len(rows):,}", differences)


async def _positions(connection: Any, truth: Truth) -> Check:
    rows = await connection.fetch(f"SELECT topic, partition, next_offset FROM {CONTROL_SCHEMA}.offsets")
    found = {(r["topic"], r["partition"]): {"next_offset": r["next_offset"]} for r in rows if r["next_offset"]}
    expected = {place: {"next_offset": offset} for place, offset in truth.next_offsets.items()}
    name = "positions at the end"
    return _compare(name, expected, found, "partitions", lambda key: f"position of {key[0]}:{key[1]}")


async def _totals(connection: Any, truth: Truth) -> Check:
    """Every record has one outcome: they add up to the distance that each position moved."""
    names = ", ".join(TOTALS)
    rows = await connection.fetch(f"SELECT topic, partition, next_offset, {names} FROM {CONTROL_SCHEMA}.offsets")
    differences = [
        f"{row['topic']}:{row['partition']}: the outcomes add up to {added:,}, the position is {row['next_offset']:,}"
        for row in rows
        if (added := sum(row[name] for name in TOTALS)) != row["next_offset"]
    ]
    totals = {name: sum(row[name] for row in rows) for name in TOTALS}
    known = {"rejected": len(truth.dead_letters), "ignored": truth.ignored, "skipped": 0}
    for name, number in known.items():
        if totals[name] != number:
            differences.append(f"{name}: expected {number:,}, found {totals[name]:,}")
    if sum(totals.values()) != truth.published:
        differences.append(f"the outcomes add up to {sum(totals.values()):,}, published were {truth.published:,}")
    expected, found = counted(truth.published, "record"), counted(sum(totals.values()), "outcome")
    return Check("one outcome for each", expected, found, differences)


def _compare(
    name: str, expected: Mapping[Any, Row], found: Mapping[Any, Row], unit: str, call: Callable[[Any], str]
) -> Check:
    check = Check(name, f"{len(expected):,} {unit}", f"{len(found):,} {unit}")
    for key in expected.keys() | found.keys():
        differences = _differences(expected.get(key), found.get(key))
        check.differences.extend(f"{call(key)}: {difference}" for difference in differences)
    return check


def _differences(expected: Row | None, found: Row | None) -> Iterable[str]:
    if expected == found:
        return
    if expected is None or found is None:
        yield "is there, and must not be" if expected is None else "is missing"
        return
    for column in sorted(expected.keys() | found.keys()):
        if expected.get(column) != found.get(column):
            yield f"{column}: expected {expected.get(column)!r}, found {found.get(column)!r}"
