"""Writes dead letters, in the transaction that moves the position past their records."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.models.control.waiting import DEAD_LETTERS
from neon_projector.projections.contract.dead_letter import dead_letter
from neon_projector.projections.contract.event import Rejection

STRETCH_SECONDS = 0.02
"""After making letters for so long, other tasks (heartbeats) get their turn."""
_TYPES = {
    "topic": "text",
    "partition": "integer",
    "offset": "bigint",
    "sha256": "bytea",
    "key": "bytea",
    "value": "bytea",
    "value_length": "integer",
    "headers": "jsonb",
    "header_count": "integer",
    "event_id": "text",
    "source": "text",
    "type": "text",
    "entity_id": "uuid",
    "reason": "text",
    "error": "text",
}
_COLUMNS = ", ".join(f'"{name}"' for name in _TYPES)
_PLACE = 'topic, partition, "offset", sha256'
_INSERT = text(f"""
    INSERT INTO {DEAD_LETTERS} AS l ({_COLUMNS})
    SELECT DISTINCT ON ({_PLACE}) {_COLUMNS}
    FROM unnest({", ".join(f"CAST(:{n} AS {t}[])" for n, t in _TYPES.items())}) AS v({_COLUMNS})
    ON CONFLICT ({_PLACE}) DO UPDATE
    SET status = 'new', attempts = l.attempts + 1, reason = excluded.reason, error = excluded.error
    WHERE l.reason <> excluded.reason OR l.status = 'resolved'""")
_KNOWN = text(f"""
    SELECT topic, partition, "offset", sha256, event_id, reason FROM {DEAD_LETTERS}
    JOIN unnest(CAST(:topic AS text[]), CAST(:partition AS integer[]), CAST(:offset AS bigint[]))
        AS v(topic, partition, "offset") USING (topic, partition, "offset")
    WHERE status <> 'resolved'""")
_NOTHING = hashlib.sha256(b"").digest()


async def letters(rejections: Iterable[Rejection], secrets: Sequence[str]) -> AsyncIterator[Mapping[str, Any]]:
    """The letter of each rejection, as columns and values. Each is made once, before the transaction if decoding has
    rejected the record. One of the largest records takes up to 0.1 s, so other tasks get their turn in between."""
    clock = asyncio.get_running_loop().time
    began = clock()
    for rejection in rejections:
        if rejection.letter is None:
            rejection.letter = dead_letter(rejection, secrets)
            if clock() - began > STRETCH_SECONDS:
                await asyncio.sleep(0)
                began = clock()
        yield rejection.letter


async def insert(connection: AsyncConnection, rejections: Sequence[Rejection], secrets: Sequence[str]) -> None:
    """One dead letter for each rejection. A record that has one gets no second: its letter stays as it is, or is new
    again where it was resolved or the reason is another one. So only `discarded` is for good: what a retry resolved may
    be lost since then (its table was truncated, say), and the letter is what an operator sees of it."""
    if rejections:
        rows = [letter async for letter in letters(rejections, secrets)]
        values: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in _TYPES}
        await connection.execute(_INSERT, values)


async def known(connection: AsyncConnection, rejections: Sequence[Rejection]) -> list[Rejection]:
    """Those whose record was rejected earlier for the same reason, and whose letter is not resolved. These records are
    read a second time, and their letters stay as they are.

    An event that was parked when it was rejected has a letter without the record's hash, and is known by its event id.
    """
    if not rejections:
        return []
    places = {name: [getattr(r.record, name) for r in rejections] for name in ("topic", "partition", "offset")}
    letters: dict[tuple[str, int, int, str], list[Row[Any]]] = {}
    for row in await connection.execute(_KNOWN, places):
        letters.setdefault((row.topic, row.partition, row.offset, row.reason), []).append(row)
    return [r for r in rejections if any(_is_of(letter, r) for letter in letters.get(_place(r), ()))] if letters else []


def _place(rejection: Rejection) -> tuple[str, int, int, str]:
    record = rejection.record
    return record.topic, record.partition, record.offset, rejection.reason.value


def _is_of(letter: Row[Any], rejection: Rejection) -> bool:
    """Whether this letter, which has the same place and reason, belongs to the same record."""
    of_parked = rejection.record.value is None and not rejection.record.headers
    if letter.sha256 == hashlib.sha256(rejection.record.value or b"").digest():
        return True
    return bool((of_parked or letter.sha256 == _NOTHING) and letter.event_id == rejection.event_id)
