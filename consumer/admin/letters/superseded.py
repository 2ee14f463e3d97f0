"""Dead letters that nothing depends on any more: their entity has gone past them by other events."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.admin.letters.filter import Filter
from neon_projector.consumer.stored_json import json_of
from neon_projector.models.control.waiting import ABSENT_STATES, DEAD_LETTERS, PARKED_EVENTS
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.contract.stated import stated_version

PAGE = 200
"""Letters looked at by one statement: each may hold 64 KiB."""

Key = tuple[str, UUID]


class Superseded(NamedTuple):
    """A letter that nothing misses. `because` is `passed`: its entity is at `at_version`, which is its own `version` or
    a later one; or `changed_since`: its version can't be read, its entity was changed after it came and misses none."""

    id: int
    because: str
    entity: str
    entity_id: UUID
    version: int | None
    at_version: int


class Standing(NamedTuple):
    """How an entity stands: its version, and whether it was surely changed after some moments (by `changed_at`)."""

    version: int
    changed_at: Any


async def superseded(
    connection: AsyncConnection, registry: Registry, topics: Mapping[str, str], which: Filter
) -> AsyncIterator[list[Superseded]]:
    """Of the letters of `which`, a page at a time, those that are superseded. `topics` are those of the settings, by
    the name of the setting.

    A record that could not be read may be the last that came of its entity: then the entity misses no version that
    anybody knows of. So it counts only where the entity was changed since, by its own `updated_at` or by a deletion.
    """
    select = text(f"""
        SELECT id, topic, type, entity_id, key, headers, value, created_at FROM {DEAD_LETTERS}
        WHERE {which.condition} AND id > :after ORDER BY id LIMIT {PAGE}""")
    after = 0
    while page := [dict(r) for r in (await connection.execute(select, which.values | {"after": after})).mappings()]:
        after = page[-1]["id"]
        keys = {row["id"]: key for row in page if (key := _key(registry, topics, row)) is not None}
        standing, missing = await _standing(connection, registry, set(keys.values()))
        found = [_judged(row, keys.get(row["id"]), standing, missing) for row in page]
        yield [one for one in found if one is not None]


def _key(registry: Registry, topics: Mapping[str, str], letter: Mapping[str, Any]) -> Key | None:
    """Which entity a letter is about: by its type, else by its topic; by its data, else by its key."""
    by_topic = [p.entity for p in registry if topics[p.topic_setting] == letter["topic"]]
    known = registry.event_types.get(letter["type"])
    entity = known[0].entity if known else by_topic[0] if len(by_topic) == 1 else None
    entity_id = letter["entity_id"] or _uuid(letter["key"])
    return None if entity is None or entity_id is None else (entity, entity_id)


def _uuid(key: bytes | None) -> UUID | None:
    try:
        return UUID((key or b"").decode())
    except ValueError:
        return None


async def _standing(
    connection: AsyncConnection, registry: Registry, keys: set[Key]
) -> tuple[dict[Key, Standing], set[Key]]:
    """How these stand, and which of them have later changes that wait for a version."""
    standing: dict[Key, Standing] = {}
    missing: set[Key] = set()
    for projection in registry:
        ids = {"ids": [entity_id for entity, entity_id in keys if entity == projection.entity]}
        if not ids["ids"]:
            continue
        changed = "updated_at" if "updated_at" in projection.columns else "NULL"
        shown = f"SELECT id, version, {changed} AS changed_at FROM {projection.table_name} WHERE id = ANY(:ids)"
        aside = f"""
            SELECT id, version, CASE WHEN reason = 'deleted' THEN since
                ELSE CAST(state->>'updated_at' AS timestamptz) END AS changed_at
            FROM {ABSENT_STATES} WHERE entity = '{projection.entity}' AND id = ANY(:ids)"""
        for select in (shown, aside):  # what is kept aside beside a row is newer
            for row in await connection.execute(text(select), ids):
                standing[projection.entity, row.id] = Standing(row.version, row.changed_at)
        waits = f"SELECT entity_id FROM {PARKED_EVENTS} WHERE entity = '{projection.entity}' AND entity_id = ANY(:ids)"
        missing |= {(projection.entity, one) for one in (await connection.execute(text(waits), ids)).scalars()}
    return standing, missing


def _judged(
    letter: Mapping[str, Any], key: Key | None, standing: Mapping[Key, Standing], missing: set[Key]
) -> Superseded | None:
    if key is None or (at := standing.get(key)) is None:
        return None
    names = [name for name, _ in json_of(letter["headers"])]
    version = stated_version(letter["value"], names)
    if version is not None:
        because = "passed" if at.version >= version else None
    else:
        since = at.changed_at is not None and at.changed_at > letter["created_at"]
        because = "changed_since" if since and key not in missing else None
    return Superseded(letter["id"], because, *key, version, at.version) if because else None
