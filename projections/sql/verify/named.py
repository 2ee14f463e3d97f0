"""What is outside of the ids that are compared and decides about them: whether their parents are there, and who else
has, or claims, their unique values. It is copied in the same snapshot.

Tables of each projection: `there` (the ids that its table has), `outside` (of what is kept aside: whether it is shown,
and why not), and `holders` (others with a unique value).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.sql.elements import TextClause

from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import Projection, Registry
from neon_projector.projections.sql.parts import ABSENT

if TYPE_CHECKING:
    from neon_projector.projections.sql.verify.tables import Scope, Side


@dataclass
class Named:
    """What the events of the ids name: parents, by entity; unique values, by entity and column."""

    parents: dict[str, set[UUID]] = field(default_factory=dict)
    values: dict[tuple[str, str], set[Any]] = field(default_factory=dict)

    def add(self, projection: Projection, event: Event) -> None:
        """Take in what an event of the projection names."""
        for parent in projection.parents:
            if (one := event.fields.get(parent.column)) is not None:
                self.parents.setdefault(parent.entity, set()).add(one)
        for column in projection.unique:
            if (value := event.fields.get(column)) is not None:
                self.values.setdefault((projection.entity, column), set()).add(value)

    @property
    def size(self) -> int:
        return sum(map(len, (*self.parents.values(), *self.values.values())))


def outside(registry: Registry, side: "Side", scope: "Scope") -> Iterator[TextClause]:
    """The statements that make these tables, where they are needed, behind those of `tables.snapshot`."""
    for projection in registry:
        if scope.is_part(projection) and registry.children_of(projection.entity):
            yield from _parents(projection, side, scope)
        if scope.ids and scope.has(projection) and projection.unique:
            yield from _holders(projection, side, scope)


def _parents(projection: Projection, side: "Side", scope: "Scope") -> Iterator[TextClause]:
    there, outside_, named = side.of(projection, "there"), side.of(projection, "outside"), scope.named
    only, values = "true", dict[str, Any]()
    if named is not None:
        only, values = "x.id = ANY(CAST(:ids AS uuid[]))", {"ids": sorted(named.parents.get(projection.entity, ()))}
    inside = scope.where("x.id") if scope.has(projection) else "false"
    yield text(f"CREATE UNLOGGED TABLE {there} (id uuid)")
    yield text(f"CREATE UNLOGGED TABLE {outside_} (id uuid, present boolean, reason text)")
    yield text(f"INSERT INTO {there} SELECT x.id FROM {projection.table_name} x WHERE {only}").bindparams(**values)
    yield text(f"""INSERT INTO {outside_}
        SELECT x.id, t.id IS NOT NULL, x.reason FROM {ABSENT} x LEFT JOIN {projection.table_name} t ON t.id = x.id
        WHERE x.entity = '{projection.entity}' AND {only} AND NOT ({inside})""").bindparams(**values)


def _holders(projection: Projection, side: "Side", scope: "Scope") -> Iterator[TextClause]:
    holders, named, entity = side.of(projection, "holders"), scope.named, projection.entity
    states = side.of(projection, "states")
    columns = ", ".join(projection.unique)
    aside = ", ".join(f"state ->> '{c}' AS {c}" for c in projection.unique)
    only, values = "true", dict[str, Any]()
    if named is not None:
        only = " OR ".join(f"{c} = ANY(CAST(:{c} AS text[]))" for c in projection.unique)
        values = {c: sorted(named.values.get((entity, c), ())) for c in projection.unique}
    yield text(f"CREATE UNLOGGED TABLE {holders} AS SELECT id, {columns} FROM {projection.table_name} WITH NO DATA")
    yield text(f"""INSERT INTO {holders}
        SELECT id, {columns} FROM {projection.table_name} WHERE ({only}) AND NOT ({scope.where("id")})
        UNION ALL
        SELECT id, {columns} FROM (SELECT id, {aside} FROM {ABSENT} WHERE entity = '{entity}' AND reason = 'contested')
            AS claims
        WHERE ({only}) AND NOT ({scope.where("id")})
            AND EXISTS (SELECT FROM {states} WHERE reason = 'contested')""").bindparams(**values)
