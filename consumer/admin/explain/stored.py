"""What the database has of one id: rows, states kept aside, parked events, dead letters, what operators did to it."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.admin.letters.filter import of_key
from neon_projector.consumer.admin.letters.traces import traceparent_of
from neon_projector.models import CONTROL_SCHEMA
from neon_projector.models.control.waiting import ABSENT_STATES, DEAD_LETTERS, PARKED_EVENTS
from neon_projector.projections.contract.projection import Registry

Row = dict[str, Any]

LETTERS = """id, topic, partition, "offset", reason, error, type, source, entity_id, attempts, created_at, status"""
_ASIDE = f"SELECT entity, version, reason, waiting_for, since, error FROM {ABSENT_STATES} WHERE id = :id"
_PARKED = f"""
    SELECT entity, version, type, topic, partition, "offset", source, since, traceparent
    FROM {PARKED_EVENTS}
    WHERE entity_id = :id ORDER BY version"""
_LETTERS = f"""
    SELECT i.id AS of, {LETTERS.replace("id, topic", "l.id, topic", 1)}, l.entity_id IS DISTINCT FROM i.id AS by_key,
        headers, CASE WHEN position(convert_to('"traceparent"', 'UTF8') IN value) > 0 THEN value END AS value
    FROM {DEAD_LETTERS} l
    JOIN unnest(CAST(:ids AS uuid[])) AS i(id) ON l.entity_id = i.id OR {of_key("i.id")}
    ORDER BY l.id"""
_OPERATIONS = f"""
    SELECT id, command, actor, finished_at, outcome FROM {CONTROL_SCHEMA}.operations
    WHERE before ->> 'id' = :text AND finished_at IS NOT NULL ORDER BY id"""


async def stored(connection: AsyncConnection, registry: Registry, entity_id: UUID) -> Row:
    """`id`, `rows`, `aside`, `parked`, `dead_letters` (also those that only their key connects with the id: `by_key`),
    and `operations` on it."""
    story: Row = {"id": entity_id, "rows": []}
    for projection in registry:
        shown = await rows_of(connection, f"SELECT version FROM {projection.table_name} WHERE id = :id", id=entity_id)
        story["rows"] += [{"entity": projection.entity, **row} for row in shown]
    story["aside"] = await rows_of(connection, _ASIDE, id=entity_id)
    story["parked"] = await rows_of(connection, _PARKED, id=entity_id)
    story["dead_letters"] = (await letters_of(connection, [entity_id]))[entity_id]
    story["operations"] = await rows_of(connection, _OPERATIONS, text=str(entity_id))
    return story


async def letters_of(connection: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, list[Row]]:
    """The dead letters of these ids, the oldest first: by the event's own id, or by the record's key. A record that
    was no event (no JSON, say) is connected with its entity by its key only. `traceparent`: in which trace it came."""
    found: dict[UUID, list[Row]] = {one: [] for one in ids}
    for row in await rows_of(connection, _LETTERS, ids=list(found)):
        row["traceparent"] = traceparent_of(row)
        found[row.pop("of")].append({name: told for name, told in row.items() if name not in ("headers", "value")})
    return found


async def rows_of(connection: AsyncConnection, select: str, **values: Any) -> list[Row]:
    return [dict(row) for row in (await connection.execute(text(select), values)).mappings()]
