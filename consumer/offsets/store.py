"""Positions live in Postgres. A claim raises the partition's epoch; a position is moved only by who knows both.

A transaction that knows an older epoch, or another next offset, changes nothing. Whoever reads both again can go on,
so two instances may hold one epoch for a while: then the next offset alone decides, and of two transactions one fails.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from aiokafka import TopicPartition
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.offsets.claim import Claim, OffsetRange
from neon_projector.consumer.recovery.translate import translated
from neon_projector.models import CONTROL_SCHEMA
from neon_projector.projections.contract.outcome import TOTALS, Outcome

OFFSETS = f"{CONTROL_SCHEMA}.offsets"
_PARTITIONS = "unnest(CAST(:topic AS text[]), CAST(:partition AS integer[]))"

_CLAIM = text(f"""
    INSERT INTO {OFFSETS} AS o (group_id, topic, partition, next_offset, epoch, skipped, topic_id)
    SELECT :group_id, v.topic, v.partition, v.first, 1, v.first, v.topic_id
    FROM unnest(CAST(:topic AS text[]), CAST(:partition AS integer[]), CAST(:first AS bigint[]),
        CAST(:topic_id AS text[])) AS v(topic, partition, first, topic_id)
    ORDER BY v.topic, v.partition
    ON CONFLICT (group_id, topic, partition) DO UPDATE
        SET epoch = o.epoch + 1, topic_id = CASE WHEN o.next_offset = 0
            THEN coalesce(excluded.topic_id, o.topic_id) ELSE coalesce(o.topic_id, excluded.topic_id) END
    RETURNING o.topic, o.partition, o.next_offset, o.epoch, o.fingerprint, o.topic_id""")

_READ = text(f"""
    SELECT o.topic, o.partition, o.next_offset, o.epoch, o.fingerprint, o.topic_id FROM {OFFSETS} o
    JOIN {_PARTITIONS} AS v(topic, partition) USING (topic, partition) WHERE o.group_id = :group_id""")

_MOVED = {
    "topic": "text",
    "partition": "integer",
    "start": "bigint",
    "next_offset": "bigint",
    "epoch": "bigint",
    "fingerprint": "text",
} | dict.fromkeys(TOTALS, "bigint")

_MOVE = f"""
    WITH moved AS (
        UPDATE {OFFSETS} o SET next_offset = v.next_offset, updated_at = now(),
            fingerprint = coalesce(v.fingerprint, o.fingerprint), {", ".join(f"{t} = o.{t} + v.{t}" for t in TOTALS)}
        FROM json_to_recordset({{rows}}) AS v({", ".join(f"{name} {kind}" for name, kind in _MOVED.items())})
        WHERE o.group_id = {{group}} AND o.topic = v.topic AND o.partition = v.partition
            AND o.next_offset = v.start AND o.epoch = v.epoch
        RETURNING 1)
    SELECT 1 / CAST(count(*) = {{number}} AS integer) FROM moved"""
"""Without parameters, to be sent with COMMIT; it divides by zero where not all could be moved."""

_KNOWN = {name: _MOVED[name] for name in ("topic", "partition", "next_offset", "epoch")}
_COMPARE = f"""
    SELECT 1 / CAST(count(*) = 0 AS integer)
    FROM json_to_recordset({{rows}}) AS v({", ".join(f"{name} {kind}" for name, kind in _KNOWN.items())})
    LEFT JOIN {OFFSETS} o ON o.group_id = {{group}} AND o.topic = v.topic AND o.partition = v.partition
    WHERE o.next_offset IS NULL OR o.next_offset < v.next_offset OR o.epoch <> v.epoch"""
"""Without parameters, to be sent with BEGIN."""

FENCED = "22012"
"""division_by_zero."""

Totals = Mapping[TopicPartition, Counter[Outcome]]


async def read(
    connection: AsyncConnection, group_id: str, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, Claim]:
    """The stored positions; partitions that have none are left out."""
    return await _claims(connection, group_id, _READ, _columns(partitions))


async def stored(engine: AsyncEngine, group_id: str) -> dict[TopicPartition, dict[str, int]]:
    """All stored positions of the group, with epochs and totals by name."""
    names = ("next_offset", "epoch", *TOTALS)
    select = f"SELECT topic, partition, {', '.join(names)} FROM {OFFSETS} WHERE group_id = :group_id ORDER BY 1, 2"
    with translated():
        async with engine.connect() as connection:
            rows = (await connection.execute(text(select), {"group_id": group_id})).mappings().all()
    return {TopicPartition(row["topic"], row["partition"]): {name: row[name] for name in names} for row in rows}


async def claim(
    connection: AsyncConnection,
    group_id: str,
    first_offsets: Mapping[TopicPartition, int],
    topic_ids: Mapping[str, str | None] = MappingProxyType({}),
) -> dict[TopicPartition, Claim]:
    """Take partitions over: raise their epochs. One without a position starts at the offset given here.

    A position without a topic's id takes the one given here, and so does one at 0, which has read nothing of any topic;
    else the stored one stays, for the caller to compare.
    """
    ids = [topic_ids.get(partition.topic) for partition in first_offsets]
    values = {**_columns(first_offsets), "first": list(first_offsets.values()), "topic_id": ids}
    return await _claims(connection, group_id, _CLAIM, values)


async def _claims(
    connection: AsyncConnection, group_id: str, statement: TextClause, values: dict[str, Any]
) -> dict[TopicPartition, Claim]:
    found = (await connection.execute(statement, {"group_id": group_id, **values})).all()
    return {
        TopicPartition(row.topic, row.partition): Claim(
            row.next_offset, row.epoch, row.fingerprint, topic_id=row.topic_id
        )
        for row in found
    }


def move(
    group_id: str,
    spans: Mapping[TopicPartition, OffsetRange],
    totals: Totals,
    fingerprints: Mapping[TopicPartition, str],
) -> str:
    """SQL that moves each position from its span's start to its end, and adds up what became of the records between.

    It fails with the SQLSTATE `FENCED` where another writer has moved one or has raised its epoch. The sum of the
    totals is the distance.
    """
    rows = []
    for partition, span in spans.items():
        counts = totals.get(partition, Counter[Outcome]())
        between = skipped(span, counts)
        assert between >= 0, "more outcomes than offsets"
        own = (*partition, *span, fingerprints.get(partition), *(counts.get(outcome, 0) for outcome in Outcome))
        rows.append(dict(zip(_MOVED, (*own, between), strict=True)))
    return _MOVE.format(rows=_quoted(json.dumps(rows)), group=_quoted(group_id), number=len(rows))


def compare(group_id: str, known: Mapping[TopicPartition, tuple[int, int]]) -> str:
    """SQL that fails with the SQLSTATE `FENCED` where a stored position is before the one given here, has another
    epoch, or is not there. Given are next offset and epoch."""
    rows = [dict(zip(_KNOWN, (*partition, *at), strict=True)) for partition, at in known.items()]
    return _COMPARE.format(rows=_quoted(json.dumps(rows)), group=_quoted(group_id))


def _quoted(value: str) -> str:
    """A literal, whatever standard_conforming_strings says."""
    doubled = value.replace("\\", "\\\\").replace("'", "''")
    return f" E'{doubled}'"


def skipped(span: OffsetRange, counts: Counter[Outcome]) -> int:
    """The offsets of a span that had no record: markers, compacted or aborted records."""
    return span.next_offset - span.start - counts.total()


def _columns(partitions: Iterable[TopicPartition]) -> dict[str, list[Any]]:
    pairs = list(partitions)
    return {"topic": [p.topic for p in pairs], "partition": [p.partition for p in pairs]}
