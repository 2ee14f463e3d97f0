"""What hangs on given ids: the children of these entities, and theirs."""

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.verify.wanted import TOO_MANY
from neon_projector.consumer.errors import Refused
from neon_projector.consumer.recovery.translate import translated
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.sql.parts import ABSENT, PARKED
from neon_projector.projections.sql.verify.tables import Scope


async def known(engine: AsyncEngine, registry: Registry, scope: Scope) -> Scope:
    """`scope` with what hangs on its ids as far as the database knows it. What was lost there, the topics tell."""
    children = [(child, parent) for one in registry for child, parent in registry.children_of(one.entity)]
    selects = [
        select
        for child, parent in children
        if scope.has(child)
        for select in (
            f"SELECT id FROM {child.table_name} WHERE {parent.column} = ANY(CAST(:ids AS uuid[]))",
            f"SELECT id FROM {ABSENT} WHERE entity = '{child.entity}' AND waiting_for = ANY(CAST(:ids AS uuid[]))",
        )
    ]
    fresh = scope.ids if selects else frozenset()
    with translated():
        async with engine.connect() as connection:
            while fresh:
                found = await connection.execute(
                    text(f"{' UNION '.join(selects)} LIMIT {TOO_MANY + 1}"), {"ids": list(fresh)}
                )
                fresh = frozenset(row.id for row in found) - scope.ids
                scope = extended(scope, fresh)
    return scope


async def kinds(engine: AsyncEngine, registry: Registry, ids: Collection[UUID]) -> dict[str, frozenset[UUID]]:
    """By entity those of the ids that the database knows as such. Those that it does not know are of every entity."""
    found = dict[str, frozenset[UUID]]()
    with translated():
        async with engine.connect() as connection:
            for one in registry:
                select = f"""
                    SELECT id FROM {one.table_name} WHERE id = ANY(CAST(:ids AS uuid[]))
                    UNION SELECT id FROM {ABSENT} WHERE entity = '{one.entity}' AND id = ANY(CAST(:ids AS uuid[]))
                    UNION SELECT entity_id FROM {PARKED}
                        WHERE entity = '{one.entity}' AND entity_id = ANY(CAST(:ids AS uuid[]))"""
                rows = await connection.execute(text(select), {"ids": list(ids)})
                found[one.entity] = frozenset(row.id for row in rows)
    unknown = frozenset(ids).difference(*found.values())
    return {entity: own | unknown for entity, own in found.items()}


def extended(scope: Scope, fresh: frozenset[UUID]) -> Scope:
    """With more ids; Refused where these are too many."""
    if len(scope.ids) + len(fresh) > TOO_MANY:
        raise Refused(f"more than {TOO_MANY:,} entities hang on these ids: verify all of their kind, with --entity")
    return replace(scope, ids=scope.ids | fresh)
