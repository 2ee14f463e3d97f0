"""Erases what is kept of a person beside the tables: for a request of the kind that GDPR's article 17 gives.

The person's row is not touched: its publisher deletes it, by an event. What Kafka keeps is Kafka's own.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.admin.all_rows import require_all_rows
from neon_projector.consumer.admin.letters.filter import of_key
from neon_projector.consumer.admin.letters.redrive import COMMAND as RETRY
from neon_projector.consumer.admin.operations import audit as operations
from neon_projector.consumer.admin.rebuild.forget_undo import Elsewhere, forget_undo
from neon_projector.consumer.apply.lock import enter
from neon_projector.consumer.apply.mode import Mode
from neon_projector.consumer.errors import Refused
from neon_projector.consumer.recovery.translate import translated
from neon_projector.models import CONTROL_SCHEMA
from neon_projector.models.control.waiting import ABSENT_STATES, DEAD_LETTERS, FORGOTTEN, PARKED_EVENTS
from neon_projector.projections.contract.mask import MASK
from neon_projector.projections.contract.projection import Registry

COMMAND = "forget"

_BELOW = text(f"""
    WITH RECURSIVE below AS (
        SELECT CAST(:id AS uuid) AS id
        UNION SELECT a.id FROM {ABSENT_STATES} a JOIN below ON a.waiting_for = below.id
            WHERE a.reason IN ('no_parent', 'parent_deleted')
    ) SELECT id FROM below""")
"""The entity, and what is kept aside because of it, at any depth."""
_OF_IT = f"EXISTS (SELECT FROM unnest(CAST(:ids AS uuid[])) AS i(id) WHERE {of_key('i.id')})"
_LETTERS = text(f"""
    UPDATE {DEAD_LETTERS} SET
        status = CASE WHEN status = 'new' THEN 'discarded' ELSE status END,
        key = CASE WHEN key IS NULL OR {_OF_IT} THEN key ELSE CAST(:mask AS bytea) END,
        value = CASE WHEN value IS NULL THEN NULL ELSE CAST(:mask AS bytea) END,
        headers = (SELECT coalesce(jsonb_agg(jsonb_build_array(h -> 0, CAST(:mask_text AS text))), '[]')
            FROM jsonb_array_elements(headers) h)
    WHERE entity_id = ANY(CAST(:ids AS uuid[])) OR {_OF_IT}""")
_EVENTS = text(f"""
    WITH gone AS (
        DELETE FROM {PARKED_EVENTS} WHERE entity_id = ANY(CAST(:ids AS uuid[])) RETURNING entity, entity_id, version
    ), left_of_it AS (
        INSERT INTO {ABSENT_STATES} AS a (entity, id, version, reason, error)
        SELECT entity, entity_id, max(version), 'erased', '{FORGOTTEN}' FROM gone GROUP BY 1, 2
        ON CONFLICT (entity, id) DO UPDATE SET version = excluded.version, reason = 'erased', error = '{FORGOTTEN}'
            WHERE a.version < excluded.version
    ) SELECT count(*) FROM gone""")
"""A tombstone stands for the events, so that what comes of them again changes nothing."""
_STATES = text(f"""
    UPDATE {ABSENT_STATES} SET reason = 'erased', state = NULL, waiting_for = NULL, error = '{FORGOTTEN}', since = now()
    WHERE id = ANY(CAST(:ids AS uuid[])) AND reason NOT IN ('deleted', 'erased')""")
_EDITS = text(f"""
    UPDATE {CONTROL_SCHEMA}.operations SET before = before - 'value', after = after - 'value' #- '{{record,headers}}'
    WHERE command = '{RETRY}' AND before ->> 'entity_id' = ANY(:texts) AND before ? 'value'""")


class Forgotten(NamedTuple):
    """How many of each had content; `ids`: of which entities, the one that is forgotten first."""

    ids: list[UUID]
    letters: int
    parked_events: int
    absent_states: int
    edited_values: int
    undo_lines: int
    """Of undo files on this machine."""
    undo_elsewhere: list[Elsewhere]
    """Undo files that may have something of it, and are not on this machine."""

    @property
    def number(self) -> int:
        return self.letters + self.parked_events + self.absent_states + self.edited_values + self.undo_lines


async def forget(engine: AsyncEngine, registry: Registry, entity_id: UUID, *, execute: bool) -> Forgotten:
    """Erase the content of its dead letters, parked events and states kept aside, and of those that are kept aside
    because of it. Refused while it is shown.

    Without `execute` the transaction is rolled back; where there is nothing there is no trace.
    """
    await require_all_rows(engine, registry)
    with translated():
        async with engine.connect() as connection:
            transaction = await connection.begin()
            await enter(connection, Mode.EXCLUSIVE)
            await _refuse_if_shown(connection, registry, entity_id)
            ids = list((await connection.execute(_BELOW, {"id": entity_id})).scalars())
            done = await _erase(connection, ids, execute)
            if execute and done.number:
                counts = done._asdict() | {"ids": len(ids)}
                del counts["undo_elsewhere"]
                await operations.record(connection, COMMAND, before={"id": str(entity_id)}, after=counts)
                await transaction.commit()
            else:
                await transaction.rollback()
    return done


async def _erase(connection: AsyncConnection, ids: Sequence[UUID], execute: bool) -> Forgotten:
    """The files first: they can be erased from once more if the transaction then fails."""
    lines, elsewhere = await forget_undo(connection, ids, execute=execute)
    values: dict[str, Any] = {"ids": list(ids)}
    masks = {"mask": MASK, "mask_text": MASK.decode()}
    letters = (await connection.execute(_LETTERS, values | masks)).rowcount
    states = (await connection.execute(_STATES, values)).rowcount
    events = (await connection.execute(_EVENTS, values)).scalar_one()
    edits = (await connection.execute(_EDITS, {"texts": [str(one) for one in ids]})).rowcount
    return Forgotten(list(ids), letters, events, states, edits, lines, elsewhere)


async def _refuse_if_shown(connection: AsyncConnection, registry: Registry, entity_id: UUID) -> None:
    for projection in registry:
        select = text(f"SELECT version FROM {projection.table_name} WHERE id = :id")
        for row in await connection.execute(select, {"id": entity_id}):
            shown = f"{projection.entity} of version {row.version}"
            raise Refused(f"{entity_id} is shown as {shown}: have its publisher delete it first")
