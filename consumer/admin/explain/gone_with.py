"""Which children went with an entity that is gone without an event: a deletion by hand takes them too, by the foreign
key's ON DELETE CASCADE, and leaves no trace of them."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.models.control.waiting import ABSENT_STATES
from neon_projector.projections.contract.event import Decoded, Event
from neon_projector.projections.contract.projection import Registry


class Child(NamedTuple):
    """An entity that some record says belongs to another."""

    entity: str
    id: UUID


def children_of(registry: Registry, decoded: Iterable[Decoded], parent: UUID) -> list[Child]:
    """Those that one of these events gives to `parent`, each once, in the order of their first event."""
    found: dict[Child, None] = {}
    for one in decoded:
        if isinstance(one, Event) and any(one.fields.get(p.column) == parent for p in registry[one.entity].parents):
            found[Child(one.entity, one.id)] = None
    return list(found)


async def not_stored(connection: AsyncConnection, registry: Registry, children: Iterable[Child]) -> list[Child]:
    """Those of which there is neither a row nor a state kept aside."""
    every = list(children)
    stored: set[tuple[str, UUID]] = set()
    for entity in {one.entity for one in every}:
        select = text(f"""
            SELECT id FROM {registry[entity].table_name} WHERE id = ANY(CAST(:ids AS uuid[]))
            UNION ALL SELECT id FROM {ABSENT_STATES} WHERE entity = :entity AND id = ANY(CAST(:ids AS uuid[]))""")
        values = {"entity": entity, "ids": [one.id for one in every if one.entity == entity]}
        stored |= {(entity, found) for found in (await connection.execute(select, values)).scalars()}
    return [one for one in every if one not in stored]
