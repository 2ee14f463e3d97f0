"""What waits: listed, tried again where the database refused it, and given up by an operator alone."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.admin.operations import audit as operations
from neon_projector.consumer.admin.retry_conflicts import retry_conflicts
from neon_projector.consumer.apply import dead_letters
from neon_projector.consumer.apply.entities.writers import Writers
from neon_projector.consumer.apply.lock import enter
from neon_projector.consumer.apply.mode import Mode
from neon_projector.consumer.apply.transaction import by_hand
from neon_projector.consumer.recovery.translate import translated
from neon_projector.models import CONTROL_SCHEMA
from neon_projector.projections.contract.projection import Registry

log = logging.getLogger(__name__)

Row = dict[str, Any]

_LIST = text(f"""
    SELECT * FROM (
        SELECT entity, id, version, reason, waiting_for, topic, since, error FROM {CONTROL_SCHEMA}.absent_states
        JOIN unnest(CAST(:entities AS text[]), CAST(:topics AS text[])) AS t(entity, topic) USING (entity)
        WHERE reason IN ('no_parent', 'contested', 'refused')
        UNION ALL
        SELECT entity, entity_id, version, 'no_base', NULL, topic, since, NULL FROM {CONTROL_SCHEMA}.parked_events
    ) w
    WHERE (CAST(:topic AS text) IS NULL OR topic = :topic) AND (CAST(:reason AS text) IS NULL OR reason = :reason)
        AND (CAST(:waiting_for AS uuid) IS NULL OR waiting_for = :waiting_for)
        AND (CAST(:since AS timestamptz) IS NULL OR since >= :since)
        AND (CAST(:until AS timestamptz) IS NULL OR since < :until)
    ORDER BY since LIMIT :limit""")
_REFUSED = text(f"""
    SELECT entity, id FROM {CONTROL_SCHEMA}.absent_states
    WHERE reason = 'refused' AND (CAST(:all AS boolean) OR id = ANY(CAST(:id AS uuid[]))) ORDER BY since, id""")
_LEFT = text(f"SELECT reason, error FROM {CONTROL_SCHEMA}.absent_states WHERE entity = :entity AND id = :id")
_TAKE = text(f"""
    WITH state AS (
        DELETE FROM {CONTROL_SCHEMA}.absent_states WHERE id = :id AND reason IN ('no_parent', 'contested', 'refused')
        RETURNING entity, version, reason, waiting_for
    ), event AS (
        DELETE FROM {CONTROL_SCHEMA}.parked_events WHERE entity_id = :id
        RETURNING entity, version, type, topic, partition, "offset"
    )
    SELECT entity, version, reason, waiting_for::text, NULL AS type, NULL AS topic, NULL AS partition, NULL AS "offset"
    FROM state
    UNION ALL SELECT entity, version, 'no_base', NULL, type, topic, partition, "offset" FROM event
    ORDER BY entity, version""")


@dataclass(frozen=True)
class Waits:
    """What waits with all of these traits; None: whatever it is. `since` and `until` are about when it began to."""

    topic: str | None = None
    reason: str | None = None
    waiting_for: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


async def listed(
    engine: AsyncEngine, registry: Registry, topics: Mapping[str, str], which: Waits, limit: int
) -> list[Row]:
    """The longest first: states without their parent or their unique value, and partial events. A state's topic is that
    of its entity; `topics` are those of the settings, by the name of the setting."""
    entities = {p.entity: topics[p.topic_setting] for p in registry}
    values = {"entities": list(entities), "topics": list(entities.values()), "limit": limit, **vars(which)}
    with translated():
        async with engine.connect() as connection:
            return await _rows(connection.execute(_LIST, values))


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


@dataclass(slots=True)
class Again:
    """What became of a state that the database had refused: `shown`, `waits` (for a parent or a value), `refused`."""

    entity: str
    id: UUID
    outcome: str
    error: str | None = None


async def retry(
    engine: AsyncEngine, registry: Registry, ids: Sequence[UUID], *, every: bool, execute: bool
) -> list[Again]:
    """Try states that were refused once more, of these `ids` or all, each in a transaction of its own."""
    with translated():
        async with engine.connect() as connection:
            found = await _rows(connection.execute(_REFUSED, {"id": list(ids), "all": every}))
    writers, done = Writers(registry), []
    for row in found:
        one = await retry_conflicts(partial(_try_again, engine, writers, registry.secrets, row, execute))
        if one is not None:
            done.append(one)
    return done


async def _try_again(
    engine: AsyncEngine, writers: Writers, secrets: Sequence[str], row: Row, execute: bool
) -> Again | None:
    entity, entity_id = row["entity"], row["id"]
    async with by_hand(engine, writers, Mode.EXCLUSIVE_APART) as unit:
        connection = unit.connection
        if not await _rows(connection.execute(_REFUSED, {"id": [entity_id], "all": False})):
            return None  # another was faster
        written = await writers.show_again(unit, entity, entity_id)
        await dead_letters.insert(connection, written.released_rejections, secrets)
        left = await _rows(connection.execute(_LEFT, {"entity": entity, "id": entity_id}))
        reason = left[0]["reason"] if left else None
        outcome = "shown" if reason is None else "refused" if reason == "refused" else "waits"
        if written.kept and outcome != "refused":
            log.warning("the database refuses others that had waited for it", extra={"id": str(entity_id)})
        if execute:
            before, after = {"id": str(entity_id), "reason": "refused"}, {"outcome": outcome}
            await operations.record(connection, "parked retry", before=before, after=after)
            await connection.commit()
        return Again(entity, entity_id, outcome, left[0]["error"] if left else None)


async def _take(connection: AsyncConnection, entity_id: UUID) -> list[Row]:
    await enter(connection, Mode.EXCLUSIVE)
    found = await _rows(connection.execute(_TAKE, {"id": entity_id}))
    before, after = {"id": str(entity_id), "waits": found}, {"id": str(entity_id), "waits": []}
    await operations.record(connection, "parked discard", before=before, after=after)
    return found


async def _rows(executed: Any) -> list[Row]:
    return [dict(row) for row in (await executed).mappings()]
