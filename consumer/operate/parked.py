"""What waits: listed, and given up by an operator alone."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from consumer import operations
from consumer.gate import Mode, enter
from consumer.recovery import translated
from models import CONTROL_SCHEMA

Row = dict[str, Any]

_LIST = text(f"""
    SELECT entity, id, version, reason, waiting_for, since FROM {CONTROL_SCHEMA}.absent_states
    WHERE reason IN ('no_parent', 'contested')
    UNION ALL
    SELECT entity, entity_id, version, 'no_base', NULL, since FROM {CONTROL_SCHEMA}.parked_events
    ORDER BY since LIMIT :limit""")
_TAKE = text(f"""
    WITH state AS (
        DELETE FROM {CONTROL_SCHEMA}.absent_states WHERE id = :id AND reason IN ('no_parent', 'contested')
        RETURNING entity, version, reason, waiting_for
    ), event AS (
        DELETE FROM {CONTROL_SCHEMA}.parked_events WHERE entity_id = :id
        RETURNING entity, version, type, topic, partition, "offset"
    )
    SELECT entity, version, reason, waiting_for::text, NULL AS type, NULL AS topic, NULL AS partition, NULL AS "offset"
    FROM state
    UNION ALL SELECT entity, version, 'no_base', NULL, type, topic, partition, "offset" FROM event
    ORDER BY entity, version""")


async def listed(engine: AsyncEngine, limit: int) -> list[Row]:
    """The longest first: states without their parent or their unique value, and partial events."""
    with translated():
        async with engine.connect() as connection:
            return await _rows(connection.execute(_LIST, {"limit": limit}))


async def discard(engine: AsyncEngine, entity_id: UUID, *, execute: bool) -> list[Row]:
    """Give up the parked events and the waiting state of one id; returns them. Tombstones stay.

    Without `execute` the transaction is rolled back; where nothing waits there is no trace.
    """
    with translated():
        async with engine.connect() as connection:
            transaction = await connection.begin()
            found = await _take(connection, entity_id)
            await (transaction.commit() if execute and found else transaction.rollback())
    return found


async def _take(connection: AsyncConnection, entity_id: UUID) -> list[Row]:
    await enter(connection, Mode.ALONE)
    found = await _rows(connection.execute(_TAKE, {"id": entity_id}))
    before, after = {"id": str(entity_id), "waits": found}, {"id": str(entity_id), "waits": []}
    await operations.record(connection, "parked discard", before=before, after=after)
    return found


async def _rows(executed: Any) -> list[Row]:
    return [dict(row) for row in (await executed).mappings()]
