"""How the service stands: who is at work, how far each partition is, what stopped, what waits, what was rejected."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.admin.group import group_of
from neon_projector.consumer.admin.offsets import partitions_of
from neon_projector.consumer.admin.verdict import findings
from neon_projector.consumer.apply.oddities import MISNAMED_FIELD, UNKNOWN_TYPE
from neon_projector.consumer.apply.rejection_log import said_source
from neon_projector.consumer.offsets import intake_stops
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.schema.foreign_keys import foreign_keys_of_others
from neon_projector.consumer.settings import Settings
from neon_projector.models import CONTROL_SCHEMA
from neon_projector.models.control.waiting import DEAD_LETTERS
from neon_projector.projections.registry import REGISTRY

Row = dict[str, Any]

WAITS_FOR = {
    "no_base": "the versions before",
    "no_parent": "its parent",
    "parent_deleted": "its deleted parent (hidden)",
    "contested": "a unique value",
    "refused": "an operator (the database refused it: parked retry)",
}

_LATE = "created_at > now() - interval '10 minutes'"
_COUNTS = f"""
    SELECT count(*) FILTER (WHERE reason = 'no_parent') AS parked_states,
        (SELECT count(*) FROM {CONTROL_SCHEMA}.parked_events) AS parked_events,
        count(*) FILTER (WHERE reason = 'contested') AS contested,
        count(*) FILTER (WHERE reason = 'refused') AS refused,
        count(*) FILTER (WHERE reason = 'parent_deleted') AS hidden,
        count(*) FILTER (WHERE reason = 'erased') AS erased,
        (SELECT count(*) FROM {DEAD_LETTERS} WHERE status = 'new') AS dead_letters,
        (SELECT count(*) FROM {DEAD_LETTERS} WHERE status = 'new' AND {_LATE}) AS dead_letters_lately
    FROM {CONTROL_SCHEMA}.absent_states"""
_WAITING = f"""
    SELECT entity, reason, count(*) AS number, min(since) AS oldest FROM {CONTROL_SCHEMA}.absent_states
    WHERE reason IN ('no_parent', 'parent_deleted', 'contested', 'refused') GROUP BY entity, reason
    UNION ALL
    SELECT entity, 'no_base', count(*), min(since) FROM {CONTROL_SCHEMA}.parked_events GROUP BY entity
    ORDER BY 1, 2"""
_LETTERS = f"""
    SELECT reason, count(*) AS number, max(created_at) AS newest FROM {DEAD_LETTERS}
    WHERE status = 'new' GROUP BY reason ORDER BY 2 DESC, 1"""
_LATELY = f"""
    SELECT topic, reason, source, count(*) AS number FROM {DEAD_LETTERS}
    WHERE status = 'new' AND {_LATE}
    GROUP BY topic, reason, source ORDER BY 4 DESC, 1, 2, 3 LIMIT 10"""

_ODDITIES = f"""
    SELECT topic, name, max(resembles) AS resembles, sum(number)::bigint AS number, max(source) AS source,
        max(last_at) AS last_at, max(last_at) > now() - interval '10 minutes' AS lately
    FROM {CONTROL_SCHEMA}.oddities WHERE group_id = :group_id AND kind = :kind
    GROUP BY topic, name ORDER BY max(resembles) IS NULL, 4 DESC, 1, 2 LIMIT 20"""


async def status_of(engine: AsyncEngine, settings: Settings) -> Row:
    """`findings` (what all of it means, the worst first), `group`, `partitions`, counts of what waits, `waiting`,
    `dead_letters_by_reason`, `dead_letters_lately` (made in the last ten minutes), `rejected_lately` (of these the
    ten most frequent by topic, reason and source), `unknown_types` (by topic, those first that resemble one of the
    contract), `misnamed_fields`, `stops` (reasons by topic), `intake` (each stop, and what is accepted),
    `foreign_keys` (of others into the tables, each with the harm it does), `last_update`.

    TransientError where a server does not answer.
    """
    group = await group_of(settings)
    partitions = await partitions_of(engine, settings, group)
    with translated():
        async with engine.connect() as connection:
            (counts,) = await _rows(connection, _COUNTS)
            waiting = await _rows(connection, _WAITING)
            letters = await _rows(connection, _LETTERS)
            lately = await _rows(connection, _LATELY)
            group_id = settings.kafka_group_id
            unknown = await _rows(connection, _ODDITIES, group_id=group_id, kind=UNKNOWN_TYPE)
            misnamed = await _rows(connection, _ODDITIES, group_id=group_id, kind=MISNAMED_FIELD)
            stops = await intake_stops.read(connection, settings.kafka_group_id)
            foreign = await foreign_keys_of_others(connection, REGISTRY)
    status = {
        "group": {"id": settings.kafka_group_id, **asdict(group)},
        "partitions": partitions,
        **counts,
        "waiting": [{**row, "waits_for": WAITS_FOR[row.pop("reason")]} for row in waiting],
        "dead_letters_by_reason": letters,
        "rejected_lately": [row | {"source": said_source(row["source"])} for row in lately],
        "unknown_types": unknown,
        "misnamed_fields": misnamed,
        "stops": intake_stops.by_topic(stops),
        "intake": stops,
        "foreign_keys": [one._asdict() for one in foreign],
        "last_update": max((row["updated_at"] for row in partitions if row["updated_at"]), default=None),
    }
    return {"findings": [finding._asdict() for finding in findings(status)], **status}


async def _rows(connection: AsyncConnection, select: str, **values: Any) -> list[Row]:
    return [dict(row) for row in (await connection.execute(text(select), values)).mappings()]
