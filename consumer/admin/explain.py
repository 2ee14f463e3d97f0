"""Why is an entity (not) there: its whole story, along everything it waits on, and a conclusion."""

from collections.abc import Iterable
from math import inf
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.admin.dead_letters import SHOWN
from neon_projector.consumer.admin.search import Searched, applied, said_gone, search
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings
from neon_projector.models import CONTROL_SCHEMA
from neon_projector.models.waiting import DEAD_LETTERS
from neon_projector.projections.contract.projection import Registry

Row = dict[str, Any]

LONGEST_CHAIN = 20
SEARCH_SECONDS = 10.0
"""So long the topics are read at most; 100,000 records and more a second."""
NAMED = 10
"""So many missing versions are named one by one."""

SAID = {
    "deleted": "it is deleted",
    "erased": "it was erased with its deleted owner, after the grace",
    "no_parent": "it waits for {waiting_for}",
    "parent_deleted": "it is hidden because of {waiting_for}",
    "refused": "the database refused it when its turn came ({error}); projector parked retry tries again",
    "contested": "it waits for a unique value that {waiting_for} has",
}
_ASIDE = text(f"""
    SELECT entity, id, version, reason, waiting_for, error FROM {CONTROL_SCHEMA}.absent_states
    WHERE id = :id AND entity = ANY(:entity)""")
_PARKED = text(f"""
    SELECT entity, min(version) AS version FROM {CONTROL_SCHEMA}.parked_events
    WHERE entity_id = :id AND entity = ANY(:entity) GROUP BY entity""")


async def explain(
    engine: AsyncEngine, registry: Registry, settings: Settings, entity_id: UUID, seconds: float = SEARCH_SECONDS
) -> Row:
    """All that is known of one id: `rows`, `aside`, `parked`, `dead_letters`, and from these `missing_versions`,
    `waits_on` (each one it waits for, and that one in turn) and `conclusion`. TransientError where Postgres does not
    answer.

    Where the database has nothing, the topics are read for so many seconds (`in_topics`, `not_read`): what was written
    and deleted by hand looks there like what never came.
    """
    with translated():
        async with engine.connect() as connection:
            story = await _story(connection, registry, entity_id)
            story["missing_versions"] = _missing(story)
            story["waits_on"] = [link for state in story["aside"] for link in await _chain(connection, registry, state)]
    found = await _search(engine, registry, settings, story, seconds)
    story["in_topics"] = {str(one): [place._asdict() for place in own] for one, own in found.places.items()}
    story["not_read"] = found.gaps
    story["conclusion"] = _conclusion(story, found)
    return story


async def _search(engine: AsyncEngine, registry: Registry, settings: Settings, story: Row, seconds: float) -> Searched:
    """In the topics, for what the database has nothing of: the entity itself, and those at the end of a chain."""
    ids = [link["id"] for link in story["waits_on"] if link["reason"] in ("unknown", "no_base")]
    if not story["rows"] and not story["aside"]:
        ids.append(story["id"])
    return await search(engine, settings, registry, ids, seconds) if ids and seconds else Searched()


async def _story(connection: AsyncConnection, registry: Registry, entity_id: UUID) -> Row:
    async def rows(select: str) -> list[Row]:
        return [dict(row) for row in (await connection.execute(text(select), {"id": entity_id})).mappings()]

    story: Row = {"id": entity_id, "rows": []}
    for projection in registry:
        shown = await rows(f"SELECT version FROM {projection.table_name} WHERE id = :id")
        story["rows"] += [{"entity": projection.entity, **row} for row in shown]
    aside = (
        f"SELECT entity, version, reason, waiting_for, since, error FROM {CONTROL_SCHEMA}.absent_states WHERE id = :id"
    )
    parked = f"""SELECT entity, version, type, topic, partition, "offset", since FROM {CONTROL_SCHEMA}.parked_events
        WHERE entity_id = :id ORDER BY version"""
    letters = f"SELECT {SHOWN} FROM {DEAD_LETTERS} WHERE entity_id = :id ORDER BY id"
    return {**story, "aside": await rows(aside), "parked": await rows(parked), "dead_letters": await rows(letters)}


async def _chain(connection: AsyncConnection, registry: Registry, state: Row) -> list[Row]:
    """What `state` waits for, what that waits for, and so on: each with the reason why it is not there."""
    links: list[Row] = []
    seen = set()
    while state["waiting_for"] is not None and state["waiting_for"] not in seen and len(links) < LONGEST_CHAIN:
        waiting_for = state["waiting_for"]
        seen.add(waiting_for)
        contested = state["reason"] == "contested"
        entities = [state["entity"]] if contested else _parents(registry, state["entity"])
        state = await _standing(connection, waiting_for, entities, shown=contested)
        links.append(state)
    return links


async def _standing(connection: AsyncConnection, entity_id: UUID, entities: list[str], *, shown: bool) -> Row:
    """Why this one is not there: `reason` is `no_base`, `unknown`, or that of a state kept aside."""
    values = {"id": entity_id, "entity": entities}
    for row in (await connection.execute(_ASIDE, values)).mappings():
        return dict(row)
    for row in (await connection.execute(_PARKED, values)).mappings():
        known = {"entity": row["entity"], "id": entity_id, "version": None, "parked_from": row["version"]}
        return {**known, "reason": "no_base", "waiting_for": None}
    entity, reason = ("/".join(entities), "shown" if shown else "unknown")
    return {"entity": entity, "id": entity_id, "version": None, "reason": reason, "waiting_for": None}


def _parents(registry: Registry, entity: str) -> list[str]:
    return [parent.entity for projection in registry if projection.entity == entity for parent in projection.parents]


def _missing(story: Row) -> list[int]:
    """The versions that parked events wait for: every gap above what is there, at most the first 100."""
    missing: list[int] = []
    for entity in dict.fromkeys(event["entity"] for event in story["parked"]):
        known = [row["version"] for row in (*story["rows"], *story["aside"]) if row["entity"] == entity]
        last = max(known, default=0)
        for version in sorted(event["version"] for event in story["parked"] if event["entity"] == entity):
            missing += range(last + 1, min(version, last + 101))
            last = max(last, version)
    return missing[:100]


def _conclusion(story: Row, found: Searched) -> str:
    gone = applied(found.places.get(story["id"], ()), story["dead_letters"])
    parts = [f"it is there, as {row['entity']} of version {row['version']}" for row in story["rows"]]
    parts += [f"{SAID[row['reason']].format(**row)} (version {row['version']})" for row in story["aside"]]
    parts += list(_links(story["waits_on"], found))
    if story["parked"]:
        parts.append(_waits(story))
        gone = [place for place in gone if place.version in story["missing_versions"]]
    if gone:
        parts.append(said_gone(gone))
    if not parts:
        nothing = "nothing but rejected records has come of it" if story["dead_letters"] else "nothing is known of it"
        parts.append(_perhaps(nothing, found))
    return "; ".join(parts)


def _perhaps(nothing: str, found: Searched) -> str:
    """That nothing has come is sure only where the topics were read to their end."""
    if found.places and not found.gaps:
        return nothing
    why = "; ".join(found.gaps) or "the topics were not read"
    return f"{nothing}, or its row was deleted by hand or by another program ({why})"


def _links(chain: Iterable[Row], found: Searched) -> Iterable[str]:
    """What to know of those it waits for."""
    for link in chain:
        first_parked = link.get("parked_from", inf)
        places = [p for p in applied(found.places.get(link["id"], ()), ()) if p.version < first_parked]
        if link["reason"] in ("unknown", "no_base") and any(place.whole for place in places):
            yield f"of {link['id']}: {said_gone(places)}"
        elif link["reason"] == "unknown":
            yield _perhaps(f"no event of {link['entity']} {link['id']} has come", found)
        elif link["reason"] == "no_base":
            yield f"of {link['entity']} {link['id']} only later changes have come"
        elif link["reason"] != "shown":
            yield f"of {link['id']}: {SAID[link['reason']].format(**link)}"


def _waits(story: Row) -> str:
    missing, waiting = story["missing_versions"], len(story["parked"])
    few = len(missing) <= NAMED
    versions = ", ".join(map(str, missing)) if few else f"{missing[0]} and {len(missing) - 1} or more others"
    said = "1 later change waits" if waiting == 1 else f"{waiting} later changes wait"
    new = sum(letter["status"] == "new" for letter in story["dead_letters"])
    hint = f" (of its records, {new} rejected: these may be what is missing)" if new else ""
    return f"{said} for version {versions}, or for a complete event{hint}"
