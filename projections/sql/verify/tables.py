"""The tables that `verify` keeps aside while it works, and how they are made. None is logged (UNLOGGED): what they have
can be computed again.

They are, for each projection: `rows` (what its table has), `states` (what is kept aside), `events` (what is parked),
`expected` (the states that the topics say), `several` (of entities that may be in one of several states: all of these),
`awaited` (the events that must be parked), and `places` (where an entity is that is not simply in its table); `later`
and `ahead` (`ahead.py`). One for all: `discarded`, the ids that operators gave up by `parked discard`; and `mark`, of
one row.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.sql.elements import TextClause

from neon_projector.models import CONTROL_SCHEMA
from neon_projector.models.control.waiting import FORGOTTEN
from neon_projector.projections.contract.projection import Projection, Registry
from neon_projector.projections.sql.parts import ABSENT, PARKED
from neon_projector.projections.sql.verify.named import Named, outside
from neon_projector.projections.state.packed import columns_of


@dataclass(frozen=True)
class Side:
    """The side tables of one operation. `prefix` is what all names begin with, as `projector.operation_17_`."""

    prefix: str

    def of(self, projection: Projection, name: str) -> str:
        return f"{self.prefix}{projection.entity}_{name}"

    @property
    def discarded(self) -> str:
        return f"{self.prefix}discarded"

    @property
    def mark(self) -> str:
        return f"{self.prefix}mark"


def digest(text: str) -> str:
    """What stands for a text without a bound on its length, as `state.packed.digest`."""
    return f"sha256(convert_to({text}, 'UTF8'))"


@dataclass(frozen=True)
class Scope:
    """What is compared: these entities (none: all), and of them these ids (none: all)."""

    entities: frozenset[str] = frozenset()
    ids: frozenset[UUID] = frozenset()
    named: Named | None = field(default=None, compare=False)
    """What else the events of the ids name. Where it is not known, all that they may name is copied."""

    def has(self, projection: Projection) -> bool:
        return not self.entities or projection.entity in self.entities

    def is_part(self, projection: Projection) -> bool:
        """Whether it is compared in part, or not at all."""
        return bool(self.ids) or not self.has(projection)

    def where(self, column: str) -> str:
        """A condition on `column`, an id."""
        if not self.ids:
            return "true"
        ids = ", ".join(f"'{one}'" for one in sorted(self.ids))
        return f"{column} = ANY(CAST(ARRAY[{ids}] AS uuid[]))"


def snapshot(registry: Registry, side: Side, scope: Scope) -> Iterator[TextClause]:
    """The statements that copy what there is, to be executed in one REPEATABLE READ transaction.

    Of parents out of scope only the ids are taken, and why those are not there that are kept aside: they decide whether
    their children are shown.
    """
    yield text(f"CREATE UNLOGGED TABLE {side.mark} AS SELECT true AS whole")
    yield text(f"""CREATE UNLOGGED TABLE {side.discarded} AS
        SELECT DISTINCT CAST(before ->> 'id' AS uuid) AS id FROM {CONTROL_SCHEMA}.operations
        WHERE command = 'parked discard' AND before ->> 'id' ~ '^[0-9a-f-]{{36}}$'""")
    for projection in registry:
        if scope.has(projection):
            yield from map(text, _copies(projection, side, scope))
    yield from outside(registry, side, scope)


def whole(side: Side) -> TextClause:
    """A row if the server still has what was copied: a crash empties all tables that are not logged."""
    return text(f"SELECT whole FROM {side.mark}")


def _copies(projection: Projection, side: Side, scope: Scope) -> Iterator[str]:
    for name, select in zip(("rows", "states", "events"), found(projection, scope.where), strict=True):
        yield f"CREATE UNLOGGED TABLE {side.of(projection, name)} AS {select}"


def found(projection: Projection, where: Callable[[str], str]) -> tuple[str, str, str]:
    """What there is, as `verify` sees it: the SELECTs of rows, of states kept aside, and of parked events. `where`
    makes a condition on a column of ids."""
    entity, carried = projection.entity, projection.carried
    columns = ", ".join(f"{digest(c)} AS {c}" if c in carried else c for c in columns_of(projection))
    return (
        f"SELECT id, version, {columns} FROM {projection.table_name} WHERE {where('id')}",
        f"""SELECT id, version, reason, waiting_for, {_without_texts("state", carried)} AS state,
            coalesce(reason = 'erased' AND error = '{FORGOTTEN}', false) AS forgotten
        FROM {ABSENT} WHERE entity = '{entity}' AND {where("id")}""",
        f"""SELECT entity_id AS id, version, type, {_without_texts("data", carried)} AS data
        FROM {PARKED} WHERE entity = '{entity}' AND {where("entity_id")}""",
    )


def _without_texts(document: str, carried: Collection[str]) -> str:
    """A JSON object with hashes in the place of its carried texts."""
    hashed = "".join(
        f""" || CASE WHEN jsonb_typeof({document} -> '{c}') = 'string'
            THEN jsonb_build_object('{c}', encode({digest(f"{document} ->> '{c}'")}, 'hex')) ELSE '{{}}' END"""
        for c in carried
    )
    whole = f"({document}{hashed})"
    return f"CASE WHEN jsonb_typeof({document}) = 'object' THEN {whole} ELSE {document} END" if hashed else document


def expected(registry: Registry, side: Side, scope: Scope) -> Iterator[str]:
    """The statements that make the tables for what the topics say, empty."""
    for projection in (p for p in registry if scope.has(p)):
        rows, of = side.of(projection, "rows"), side.of
        more = "base bigint, alive boolean, doubt smallint"
        yield f"CREATE UNLOGGED TABLE {of(projection, 'expected')} (LIKE {rows}, {more})"
        yield f"CREATE UNLOGGED TABLE {of(projection, 'several')} (LIKE {rows}, {more})"
        yield f"""CREATE UNLOGGED TABLE {of(projection, "awaited")} (
            id uuid, version bigint, type text, data jsonb, always boolean)"""


def drop(registry: Registry, side: Side) -> Iterator[str]:
    """Drop all of them that there are."""
    names = ("rows", "states", "events", "expected", "several", "awaited", "places", "there", "outside", "holders",
             "later", "ahead")  # fmt: skip
    own = [side.of(projection, name) for projection in registry for name in names]
    yield f"DROP TABLE IF EXISTS {', '.join([side.mark, side.discarded, *own])}"


def drop_places(registry: Registry, side: Side) -> Iterator[str]:
    """What an earlier comparison has made."""
    yield f"DROP TABLE IF EXISTS {', '.join(side.of(projection, 'places') for projection in registry)}"


def empty(registry: Registry, side: Side, scope: Scope) -> Iterator[str]:
    """Take what the topics say away again."""
    for projection in (p for p in registry if scope.has(p)):
        names = ", ".join(side.of(projection, name) for name in ("expected", "several", "awaited"))
        yield f"TRUNCATE {names}"


def analyze(registry: Registry, side: Side, scope: Scope) -> Iterator[str]:
    """Before they are compared: the planner knows nothing of tables that are new."""
    for projection in (p for p in registry if scope.has(p)):
        for name in ("rows", "states", "events", "expected", "several", "awaited"):
            yield f"ANALYZE {side.of(projection, name)}"


EXPECTED_MORE = ("base", "alive", "doubt")
"""The columns of `expected` and `several` behind those of `rows`: the version of the complete event that the state is
built on; false for a deleted entity; and the doubt: `CERTAIN`, `ONE_OF_SEVERAL`, `OPEN` (it may be there, or not) or
`UNTRIED` (it may be in more states than are tried)."""
CERTAIN, ONE_OF_SEVERAL, OPEN, UNTRIED = 0, 1, 2, 3
AWAITED = ("id", "version", "type", "data", "always")
"""The columns of `awaited`; `always`: in each of the states that the entity may be in."""


def all_of(values: Iterable[str]) -> str:
    """A conjunction; true of nothing."""
    return " AND ".join(values) or "true"


def as_state(projection: Projection, row: str) -> str:
    """A row as it is kept aside; NULL of a deleted entity."""
    hashed = projection.carried
    values = [f"'{c}', " + (f"encode({row}.{c}, 'hex')" if c in hashed else f"{row}.{c}") for c in projection.columns]
    return f"CASE WHEN {row}.alive THEN jsonb_build_object({', '.join(values)}) END"


def names_of(sides: list[tuple[str, str, str]]) -> str:
    """The names of those that differ, as an array."""
    names = ", ".join(f"CASE WHEN {one} IS DISTINCT FROM {other} THEN '{name}' END" for name, one, other in sides)
    return f"array_remove(ARRAY[{names}], NULL)"
