"""How the service stands, beyond its positions: what stopped, what waits for what, what was rejected and why."""

from typing import Any

from aiokafka import TopicPartition
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from consumer import intake_stops
from consumer.fingerprint import fingerprint, offset_of
from consumer.operate.records import Records
from consumer.positions import OFFSETS
from consumer.recovery import translated
from consumer.settings import Settings
from models import CONTROL_SCHEMA

Row = dict[str, Any]

WAITS_FOR = {
    "no_base": "the versions before",
    "no_parent": "its parent",
    "parent_deleted": "its deleted parent (hidden)",
    "contested": "a unique value",
}

_WAITING = f"""
    SELECT entity, reason, count(*) AS number, min(since) AS oldest FROM {CONTROL_SCHEMA}.absent_states
    WHERE reason IN ('no_parent', 'parent_deleted', 'contested') GROUP BY entity, reason
    UNION ALL
    SELECT entity, 'no_base', count(*), min(since) FROM {CONTROL_SCHEMA}.parked_events GROUP BY entity
    ORDER BY 1, 2"""
_LETTERS = f"""
    SELECT reason, count(*) AS number, max(created_at) AS newest FROM {CONTROL_SCHEMA}.dead_letters
    WHERE status = 'new' GROUP BY reason ORDER BY 2 DESC, 1"""
_POSITIONS = f"""
    SELECT topic, partition, fingerprint, updated_at FROM {OFFSETS} WHERE group_id = :group_id ORDER BY 1, 2"""


async def standing(engine: AsyncEngine, settings: Settings) -> Row:
    """`waiting`, `dead_letters_by_reason`, `stops` (by topic), `last_update` and `changed` (topics made anew).

    Trouble where a server does not answer.
    """
    with translated():
        async with engine.connect() as connection:
            waiting = await _rows(connection, _WAITING)
            letters = await _rows(connection, _LETTERS)
            positions = await _rows(connection, _POSITIONS, group_id=settings.kafka_group_id)
            stops = await intake_stops.read(connection, settings.kafka_group_id)
    return {
        "waiting": [{**row, "waits_for": WAITS_FOR[row.pop("reason")]} for row in waiting],
        "dead_letters_by_reason": letters,
        "stops": {topic: reason for topic, reason in stops.items() if reason != intake_stops.ACCEPTED},
        "last_update": max((row["updated_at"] for row in positions), default=None),
        "changed": [f"{p.topic}:{p.partition}" for p in await _changed(settings, positions)],
    }


async def _changed(settings: Settings, positions: list[Row]) -> list[TopicPartition]:
    """Partitions whose topic has another record where the last applied one was: it was made anew."""
    changed = []
    async with Records(settings) as records:
        for row in positions:
            if (kept := row["fingerprint"]) is not None:
                found = await records.at(row["topic"], row["partition"], offset_of(kept))
                if found is not None and fingerprint(found) != kept:
                    changed.append(TopicPartition(row["topic"], row["partition"]))
    return changed


async def _rows(connection: AsyncConnection, select: str, **values: Any) -> list[Row]:
    return [dict(row) for row in (await connection.execute(text(select), values)).mappings()]
