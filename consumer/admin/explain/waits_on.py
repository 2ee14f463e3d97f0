"""What an entity waits for, what that waits for, and so on; and which versions are missing."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.admin.explain.stored import letters_of, rows_of
from neon_projector.models.control.waiting import ABSENT_STATES, PARKED_EVENTS
from neon_projector.projections.contract.projection import Registry

Row = dict[str, Any]

LONGEST_CHAIN = 20
MISSING = 100
"""So many missing versions are found."""

_ASIDE = f"""
    SELECT entity, id, version, reason, waiting_for, error FROM {ABSENT_STATES}
    WHERE id = :id AND entity = ANY(:entity)"""
_PARKED = f"""
    SELECT entity, min(version) AS version FROM {PARKED_EVENTS}
    WHERE entity_id = :id AND entity = ANY(:entity) GROUP BY entity"""


async def waits_on(connection: AsyncConnection, registry: Registry, aside: list[Row]) -> list[Row]:
    """Everything that states kept aside wait for, along the chain. `reason` says why each is not there: `unknown`,
    `no_base`, `shown` (it has the unique value), or that of a state kept aside. `dead_letters`: of its records."""
    links = [link for state in aside for link in await _chain(connection, registry, state)]
    if links:
        letters = await letters_of(connection, {link["id"] for link in links})
        for link in links:
            link["dead_letters"] = [letter for letter in letters[link["id"]] if letter["status"] == "new"]
    return links


def missing_versions(story: Row) -> list[int]:
    """The versions that parked events wait for: every gap above what is there, the first ones."""
    missing: list[int] = []
    for entity in dict.fromkeys(event["entity"] for event in story["parked"]):
        known = [row["version"] for row in (*story["rows"], *story["aside"]) if row["entity"] == entity]
        last = max(known, default=0)
        for version in sorted(event["version"] for event in story["parked"] if event["entity"] == entity):
            missing += range(last + 1, min(version, last + MISSING + 1))
            last = max(last, version)
    return missing[:MISSING]


async def _chain(connection: AsyncConnection, registry: Registry, state: Row) -> list[Row]:
    links: list[Row] = []
    seen = set()
    while state["waiting_for"] is not None and state["waiting_for"] not in seen and len(links) < LONGEST_CHAIN:
        waiting_for = state["waiting_for"]
        seen.add(waiting_for)
        contested = state["reason"] == "contested"
        entities = [state["entity"]] if contested else parents_of(registry, state["entity"])
        state = await _standing(connection, waiting_for, entities, shown=contested)
        links.append(state)
    return links


async def _standing(connection: AsyncConnection, entity_id: UUID, entities: list[str], *, shown: bool) -> Row:
    """Why this one is not there."""
    values = {"id": entity_id, "entity": entities}
    for row in await rows_of(connection, _ASIDE, **values):
        return row
    for row in await rows_of(connection, _PARKED, **values):
        known = {"entity": row["entity"], "id": entity_id, "version": None, "parked_from": row["version"]}
        return {**known, "reason": "no_base", "waiting_for": None}
    entity, reason = ("/".join(entities), "shown" if shown else "unknown")
    return {"entity": entity, "id": entity_id, "version": None, "reason": reason, "waiting_for": None}


def parents_of(registry: Registry, entity: str) -> list[str]:
    """The entities that `entity` needs."""
    return [parent.entity for projection in registry if projection.entity == entity for parent in projection.parents]
