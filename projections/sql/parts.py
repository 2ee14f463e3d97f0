"""Parts of the statements: the tables of what waits, arrays for columns, and that nothing of a row is kept there."""

import re

from sqlalchemy import TextClause, text
from sqlalchemy.dialects import postgresql

from neon_projector.models import CONTROL_SCHEMA
from neon_projector.projections.contract.projection import Projection

ABSENT = f"{CONTROL_SCHEMA}.absent_states"
PARKED = f"{CONTROL_SCHEMA}.parked_events"


def arrays(projection: Projection, *only: str) -> str:
    """One array parameter per column, cast to the column's own type. That of a text has no length: to cast to one is to
    cut silently, and to build the array anew."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    types = {c.name: re.sub(r"\(.*?\)", "", c.type.compile(dialect=dialect)) for c in projection.table.columns}
    return ", ".join(f"CAST(:{name} AS {types[name]}[])" for name in only or projection.columns)


def nothing_kept(projection: Projection) -> str:
    """Nothing of `v.id` is kept aside or parked. Scalar subqueries: these are looked up row by row, by index, whatever
    the planner thinks of the tables' sizes; and not at all where nothing of the entity is in there."""
    entity = f"entity = '{projection.entity}'"
    absent = f"(SELECT true FROM {ABSENT} a WHERE a.{entity} AND a.id = v.id) IS NULL"
    parked = f"(SELECT true FROM {PARKED} e WHERE e.{entity} AND e.entity_id = v.id LIMIT 1) IS NULL"
    return " AND ".join(
        f"((SELECT true FROM {table} WHERE {entity} LIMIT 1) IS NULL OR {none})"
        for table, none in ((ABSENT, absent), (PARKED, parked))
    )


def same_wait(old: str, new: str) -> str:
    """Whether `since` of a state kept aside goes on: as long as the reason is the same, and for a hidden one also the
    parent. So its grace counts from the later of that parent's deletion and its own arrival there."""
    same_parent = f"{new}.reason <> 'parent_deleted' OR {old}.waiting_for = {new}.waiting_for"
    return f"{old}.reason = {new}.reason AND ({same_parent})"


def changed_by_triggers(projection: Projection) -> str:
    """Whether an application's trigger may change what is written to the entity's table, before it is."""
    return f"""EXISTS (SELECT FROM pg_catalog.pg_trigger
                WHERE tgrelid = CAST('{projection.table_name}' AS regclass) AND NOT tgisinternal AND tgenabled <> 'D'
                    AND tgtype & 3 = 3 AND tgtype & 20 <> 0)"""


def refuse(entity: str) -> TextClause:
    """States `:id` kept aside wait for nobody any more: the database refuses them, and `:error` says what does."""
    return text(f"""
        UPDATE {ABSENT} SET reason = 'refused', waiting_for = NULL, since = now(), error = :error
        WHERE entity = '{entity}' AND id = ANY(CAST(:id AS uuid[]))""")
