"""Writes dead letters, in the transaction that moves the position past them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from models import CONTROL_SCHEMA
from projections.dead_letter import dead_letter
from projections.event import Rejection

_TYPES = {
    "topic": "text",
    "partition": "integer",
    "offset": "bigint",
    "sha256": "bytea",
    "key": "bytea",
    "value": "bytea",
    "value_length": "integer",
    "headers": "jsonb",
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
    INSERT INTO {CONTROL_SCHEMA}.dead_letters AS l ({_COLUMNS})
    SELECT DISTINCT ON ({_PLACE}) {_COLUMNS}
    FROM unnest({", ".join(f"CAST(:{n} AS {t}[])" for n, t in _TYPES.items())}) AS v({_COLUMNS})
    ON CONFLICT ({_PLACE}) DO UPDATE
    SET status = 'new', attempts = l.attempts + 1, reason = excluded.reason, error = excluded.error
    WHERE l.status <> 'new'""")


async def insert(connection: AsyncConnection, rejections: Sequence[Rejection], secrets: Sequence[str]) -> None:
    """One dead letter for each rejection; a record that has one gets no second: what was settled is new again."""
    if rejections:
        rows = [dead_letter(rejection, secrets) for rejection in rejections]
        values: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in _TYPES}
        await connection.execute(_INSERT, values)
