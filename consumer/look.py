"""What operators look at: dead letters, what waits, one entity's whole story. It only reads."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from consumer.recovery import translated
from models import CONTROL_SCHEMA
from projections.projection import Registry

Row = dict[str, Any]

_LETTERS = (
    """id, topic, partition, "offset", reason, error, event_id, source, type, entity_id, attempts, created_at, status"""
)


async def dead_letters(
    engine: AsyncEngine, *, status: str | None, reason: str | None, topic: str | None, limit: int
) -> list[Row]:
    """The newest dead letters, without their contents."""
    given = {name: value for name, value in (("status", status), ("reason", reason), ("topic", topic)) if value}
    where = " AND ".join(["true", *(f"{name} = :{name}" for name in given)])
    select = f"SELECT {_LETTERS} FROM {CONTROL_SCHEMA}.dead_letters WHERE {where} ORDER BY id DESC LIMIT :limit"
    return await _rows(engine, select, limit=limit, **given)


async def dead_letter(engine: AsyncEngine, number: int) -> Row | None:
    """One dead letter, with its key, headers and value as they are kept (passwords masked)."""
    select = f"SELECT {_LETTERS}, key, headers, value, value_length FROM {CONTROL_SCHEMA}.dead_letters WHERE id = :id"
    found = await _rows(engine, select, id=number)
    return found[0] if found else None


async def waiting(engine: AsyncEngine, limit: int) -> list[Row]:
    """What is parked, longest first: states without their parent or their unique value, and partial events."""
    return await _rows(
        engine,
        f"""
        SELECT entity, id, version, reason, waiting_for, since FROM {CONTROL_SCHEMA}.absent_states
        WHERE reason IN ('no_parent', 'contested')
        UNION ALL
        SELECT entity, entity_id, version, 'no_base', NULL, since FROM {CONTROL_SCHEMA}.parked_events
        ORDER BY since LIMIT :limit""",
        limit=limit,
    )


async def counts(engine: AsyncEngine) -> Row:
    """How much waits, is hidden or rejected."""
    found = await _rows(
        engine,
        f"""
        SELECT count(*) FILTER (WHERE reason = 'no_parent') AS parked_states,
            (SELECT count(*) FROM {CONTROL_SCHEMA}.parked_events) AS parked_events,
            count(*) FILTER (WHERE reason = 'contested') AS contested,
            count(*) FILTER (WHERE reason = 'parent_deleted') AS hidden,
            count(*) FILTER (WHERE reason = 'erased') AS erased,
            (SELECT count(*) FROM {CONTROL_SCHEMA}.dead_letters WHERE status = 'new') AS dead_letters
        FROM {CONTROL_SCHEMA}.absent_states""",
    )
    return found[0]


async def explain(engine: AsyncEngine, registry: Registry, entity_id: UUID) -> Row:
    """Everything that is known of one id, of whatever entity, and a conclusion in one sentence."""
    story: Row = {"id": entity_id, "rows": [], "aside": [], "parked": [], "dead_letters": []}
    for projection in registry:
        select = f"SELECT version FROM {projection.table.name} WHERE id = :id"
        for row in await _rows(engine, select, id=entity_id):
            story["rows"].append({"entity": projection.entity, **row})
    aside = f"SELECT entity, version, reason, waiting_for, since FROM {CONTROL_SCHEMA}.absent_states WHERE id = :id"
    story["aside"] = await _rows(engine, aside, id=entity_id)
    parked = f"""SELECT entity, version, type, topic, partition, "offset", since FROM {CONTROL_SCHEMA}.parked_events
        WHERE entity_id = :id ORDER BY version"""
    story["parked"] = await _rows(engine, parked, id=entity_id)
    letters = f"SELECT {_LETTERS} FROM {CONTROL_SCHEMA}.dead_letters WHERE entity_id = :id ORDER BY id"
    story["dead_letters"] = await _rows(engine, letters, id=entity_id)
    story["missing_versions"] = _missing(story)
    story["conclusion"] = _conclusion(story)
    return story


def _missing(story: Row) -> list[int]:
    """The versions that parked events wait for: those between what is there and the first one that waits."""
    if not story["parked"]:
        return []
    there = max([row["version"] for row in (*story["rows"], *story["aside"])], default=0)
    return list(range(there + 1, min(story["parked"][0]["version"], there + 100)))


def _conclusion(story: Row) -> str:
    said = {
        "deleted": "it is deleted",
        "erased": "it was erased with its deleted owner, after the grace",
        "no_parent": "it waits for {waiting_for}, of which no event has come",
        "parent_deleted": "it is hidden: {waiting_for} is deleted, or hidden itself",
        "contested": "it waits for a unique value that {waiting_for} has",
    }
    parts = [f"it is there, as {row['entity']} of version {row['version']}" for row in story["rows"]]
    parts += [said[row["reason"]].format(**row) + f" (version {row['version']})" for row in story["aside"]]
    if story["missing_versions"]:
        numbers = ", ".join(map(str, story["missing_versions"]))
        parts.append(f"{len(story['parked'])} later changes wait for version {numbers}, or for a complete event")
    if not parts:
        parts.append(
            "nothing but rejected records has come of it" if story["dead_letters"] else "nothing is known of it"
        )
    return "; ".join(parts)


async def _rows(engine: AsyncEngine, select: str, **values: Any) -> list[Row]:
    with translated():
        async with engine.connect() as connection:
            return await _read(connection, select, values)


async def _read(connection: AsyncConnection, select: str, values: Row) -> list[Row]:
    return [dict(row) for row in (await connection.execute(text(select), values)).mappings()]
