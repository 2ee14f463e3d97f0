"""Parts that several statements share: table names, array parameters, the given rows, and two conditions."""

import re
from collections.abc import Iterable

from sqlalchemy.dialects import postgresql

from neon_projector.models.control.waiting import ABSENT_STATES, PARKED_EVENTS
from neon_projector.projections.contract.projection import Projection

ABSENT, PARKED = ABSENT_STATES, PARKED_EVENTS


def arrays(projection: Projection, *only: str) -> str:
    """One array parameter per column, cast to the column's type without its length.

    Postgres would silently cut values in a cast to `varchar(n)`, and copy the array for it.
    """
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy has no types for it
    types = {c.name: re.sub(r"\(.*?\)", "", c.type.compile(dialect=dialect)) for c in projection.table.columns}
    return ", ".join(f"CAST(:{name} AS {types[name]}[])" for name in only or projection.columns)


def given_rows(projection: Projection, *only: str, more: Iterable[str] = (), name: str = "v") -> str:
    """The CTE `v` (or `name`): the given rows, with all columns or `only` these, plus the expressions `more`.

    The rows are sorted by id: neighbours in the index are written together, and two concurrent upserts cannot deadlock.
    If two partitions carry the same entities, two `take_new` can deadlock, and so can two `take` with several states
    per entity; Postgres then aborts one of them, and its transaction is retried.
    """
    return f"{name} AS MATERIALIZED ({row_values(projection, *only, more=more)})"


def row_values(projection: Projection, *only: str, more: Iterable[str] = ()) -> str:
    """The SELECT behind `given_rows`.

    `unnest` stands in the select list: in FROM, Postgres would first copy the elements of each array to a tuple store.
    """
    rows = [f"unnest({arrays(projection, c)}) AS {c}" for c in only or projection.columns]
    return f"SELECT {', '.join([*rows, *more])} ORDER BY id"


def nothing_kept(projection: Projection) -> str:
    """A condition: no state of `v.id` is kept aside, and no event of it is parked.

    Postgres evaluates scalar subqueries row by row, by index, whatever the planner assumes about the tables' sizes. It
    skips them when the table holds nothing of this entity.
    """
    entity = f"entity = '{projection.entity}'"
    absent = f"(SELECT true FROM {ABSENT} a WHERE a.{entity} AND a.id = v.id) IS NULL"
    parked = f"(SELECT true FROM {PARKED} e WHERE e.{entity} AND e.entity_id = v.id LIMIT 1) IS NULL"
    return " AND ".join(
        f"((SELECT true FROM {table} WHERE {entity} LIMIT 1) IS NULL OR {none})"
        for table, none in ((ABSENT, absent), (PARKED, parked))
    )


def changed_by_triggers(projection: Projection) -> str:
    """A condition: a trigger of an application (BEFORE INSERT or UPDATE, per row) may change what is written."""
    return f"""EXISTS (SELECT FROM pg_catalog.pg_trigger
                WHERE tgrelid = CAST('{projection.table_name}' AS regclass) AND NOT tgisinternal AND tgenabled <> 'D'
                    AND tgtype & 3 = 3 AND tgtype & 20 <> 0)"""
