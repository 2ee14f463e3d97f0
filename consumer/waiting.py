"""What waits may be given up, by an operator alone."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from consumer import operations
from consumer.gate import Mode, enter
from consumer.recovery import translated
from models import CONTROL_SCHEMA

_WAITS = {
    "parked_events": "entity_id = :id",
    "absent_states": "id = :id AND reason IN ('no_parent', 'contested')",
}


async def discard(engine: AsyncEngine, entity_id: UUID, *, execute: bool) -> int:
    """Give up the parked events and the waiting state of one id; returns how many there are. Tombstones stay."""
    found = 0
    with translated():
        async with engine.begin() as connection:
            await enter(connection, Mode.ALONE)
            for table, condition in _WAITS.items():
                verb = "DELETE" if execute else "SELECT"
                statement = text(f"{verb} FROM {CONTROL_SCHEMA}.{table} WHERE {condition}")
                done = await connection.execute(statement, {"id": entity_id})
                found += len(done.all()) if done.returns_rows else done.rowcount
            if execute:
                after = {"entity": str(entity_id), "discarded": found}
                await operations.record(connection, "parked discard", after=after)
    return found
