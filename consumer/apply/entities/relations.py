"""Children follow their parents, through all levels: kept aside before a parent goes, shown again when it comes."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.errors import NotTaken
from neon_projector.projections.contract.projection import Parent, Projection, Registry
from neon_projector.projections.sql.child_statements import ChildStatements, child_statements_for


class Relation(NamedTuple):
    """A child's link to one of its parents, with the statements for it."""

    child: Projection
    link: Parent
    sql: ChildStatements


class Relations:
    """Which entity types are whose parents, and the statements for it. It keeps nothing between calls."""

    def __init__(self, registry: Registry) -> None:
        self._relations = [
            Relation(child, link, child_statements_for(registry, child, link))
            for child in registry
            for link in child.parents
        ]

    def parents_of(self, entity: str) -> list[Relation]:
        return [relation for relation in self._relations if relation.child.entity == entity]

    def children_of(self, entity: str) -> list[Relation]:
        return [relation for relation in self._relations if relation.link.entity == entity]

    async def missing_parents(
        self, connection: AsyncConnection, relation: Relation, ids: Collection[UUID]
    ) -> dict[UUID, str]:
        """The parents among `ids` that are missing, each with the reason for which its children are kept aside."""
        if not ids:
            return {}
        found = await connection.execute(relation.sql.missing_parents, {"id": list(ids)})
        return {row.id: row.reason for row in found}

    async def hide_children(self, connection: AsyncConnection, entity: str, ids: list[UUID], reason: str) -> None:
        """Call it before the rows `ids` are deleted. Keeps all rows below them aside for `reason`, grandchildren first.
        NotTaken if one of them stays."""
        for relation in self.children_of(entity) if ids else []:
            values = {"id": ids, "reason": reason}
            if self.children_of(relation.child.entity):
                children = [row.id for row in await connection.execute(relation.sql.children, {"id": ids})]
                await self.hide_children(connection, relation.child.entity, children, reason)
            await connection.execute(relation.sql.hide, values)
            if (await connection.execute(relation.sql.left, {"id": ids})).first() is not None:
                raise NotTaken(relation.child.table_name)  # the parent's deletion would make it an orphan
            await self._mark(connection, relation, values)

    async def _mark(self, connection: AsyncConnection, relation: Relation, values: dict[str, Any]) -> None:
        done = await connection.execute(relation.sql.mark, values)
        marked = [row.id for row in done] if done.returns_rows else []
        for below in self.children_of(relation.child.entity) if marked else []:
            await self._mark(connection, below, {**values, "id": marked})

    async def release_children(self, connection: AsyncConnection, entity: str, ids: list[UUID]) -> int:
        """Call it when the rows `ids` are there. Shows what waited for them and misses no other parent; returns how
        many. NotTaken if the table does not take one."""
        shown = 0
        for relation in self.children_of(entity) if ids else []:
            for statement in relation.sql.wait_on:
                await connection.execute(statement, {"id": ids})
            released = (await connection.execute(relation.sql.release, {"id": ids})).all()
            children = self._shown(relation, released)
            if isinstance(children, int):
                shown += children
            else:
                shown += len(children) + await self.release_children(connection, relation.child.entity, children)
        return shown

    async def to_release(self, connection: AsyncConnection, relation: Relation, ids: list[UUID]) -> list[UUID]:
        """The children that wait for one of `ids` and miss no other parent."""
        for statement in relation.sql.wait_on:
            await connection.execute(statement, {"id": ids})
        return [row.id for row in await connection.execute(relation.sql.to_release, {"id": ids})]

    async def release_some(self, connection: AsyncConnection, relation: Relation, ids: list[UUID]) -> None:
        """Show these children. NotTaken if the table does not take one."""
        self._shown(relation, (await connection.execute(relation.sql.release_some, {"id": ids})).all())

    def _shown(self, relation: Relation, released: Sequence[Any]) -> int | list[UUID]:
        """How many children are shown, or which ones if they have children themselves. NotTaken if one is missing."""
        freed = released[0].freed
        if not self.children_of(relation.child.entity):
            shown = number = released[0].shown
        else:
            shown = [row.id for row in released if row.id is not None]
            number = len(shown)
        if number != freed:
            raise NotTaken(relation.child.table_name)
        return shown  # type: ignore[no-any-return]  # a column of a row has no type
