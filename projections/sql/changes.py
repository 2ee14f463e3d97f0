"""The statement that applies partial events to stored rows without reading them first."""

from sqlalchemy import text
from sqlalchemy.sql.elements import TextClause

from neon_projector.projections.contract.projection import Projection
from neon_projector.projections.sql.parts import given_rows, nothing_kept


def change(projection: Projection) -> TextClause:
    """Move rows from version `:base` to `:version`; bit n of `:mask` says that changeable column n is set."""
    table, columns = projection.table_name, projection.changeable
    more = "unnest(CAST(:base AS bigint[])) AS base", "unnest(CAST(:mask AS integer[])) AS mask"
    given = given_rows(projection, "id", "version", *columns, more=more)
    new = ", ".join(
        f"{c} = CASE WHEN v.mask & {1 << bit} = 0 THEN t.{c} ELSE v.{c} END" for bit, c in enumerate(columns)
    )
    return text(f"""
        WITH {given}
        UPDATE {table} t SET version = v.version, {new} FROM v
        WHERE t.id = v.id AND t.version = v.base AND {nothing_kept(projection)} RETURNING t.id""")
