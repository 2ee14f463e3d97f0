"""The statements for unique columns: who holds a value, moving values between rows, vacating them."""

from sqlalchemy import text
from sqlalchemy.sql.elements import TextClause

from neon_projector.projections.contract.projection import Projection
from neon_projector.projections.sql.parts import arrays

VACATED = "@vacated.invalid"
"""Appended to an id, this makes a value that no other row can have: the contract rejects the domain `invalid`
(RFC 2606), so no event carries it. It still looks like an e-mail address, so an application's CHECK accepts it."""


def holding(projection: Projection) -> dict[str, str]:
    """By unique column: the SELECT of the rows that hold the values `:value`, without a lock."""
    select = f"SELECT id, {{0}} AS value FROM {projection.table_name} WHERE {{0}} = ANY(CAST(:value AS text[]))"
    return {column: select.format(column) for column in projection.unique}


def move_unique(projection: Projection) -> TextClause | None:
    """Set the unique columns of rows that another statement has just brought to `:version`."""
    if not projection.unique:
        return None
    table, given = projection.table_name, arrays(projection, "id", "version", *projection.unique)
    columns = ", ".join(projection.unique)
    differ = " OR ".join(f"t.{c} <> v.{c}" for c in projection.unique)
    return text(f"""
        UPDATE {table} t SET {", ".join(f"{c} = v.{c}" for c in projection.unique)}
        FROM unnest({given}) AS v(id, version, {columns})
        WHERE t.id = v.id AND t.version = v.version AND ({differ})""")


def vacate(projection: Projection) -> TextClause | None:
    """Give the rows `:id` placeholder values, so that two rows can swap theirs."""
    if not projection.unique:
        return None
    vacant = ", ".join(f"{c} = id::text || '{VACATED}'" for c in projection.unique)
    return text(f"UPDATE {projection.table_name} SET {vacant} WHERE id = ANY(CAST(:id AS uuid[]))")
