"""The statements that write whole states: insert a row, or update it to a higher version.

Each is one statement with up to four parts: the given rows, what speaks against some of them, the upsert itself
(`taken`), and the rows that the caller still has to deal with.
"""

from sqlalchemy import text
from sqlalchemy.sql.elements import TextClause

from neon_projector.projections.contract.projection import Projection, Registry
from neon_projector.projections.sql.carried import kept_arrays, whole
from neon_projector.projections.sql.parts import given_rows, nothing_kept, row_values


def upsert(projection: Projection) -> TextClause:
    """Write states that have been decided on. Stored long values are taken from where they are (`sql.carried`)."""
    if not projection.carried:
        return _write(projection, given_rows(projection), "true")
    kept = [
        f"unnest({array}) AS kept_{c}" for array, c in zip(kept_arrays(projection), projection.carried, strict=True)
    ]
    given = f"{given_rows(projection, more=kept, name='given')}, v AS MATERIALIZED ({whole('given', projection)})"
    return _write(projection, given, "true", rows="given")


def take(projection: Projection) -> TextClause:
    """Write complete states without reading what is stored."""
    return _write(projection, f"{given_rows(projection)}, {_passed(projection)}", _free(projection))


def take_new(projection: Projection) -> TextClause:
    """The same, with a plain INSERT for states of version 1."""
    free, returning = _free(projection), _returning(projection)
    return text(f"""
        WITH {given_rows(projection)}, {_passed(projection)},
        new AS ({_insert(projection, f"version = 1 AND {free}")} {returning}),
        known AS ({_insert(projection, f"version > 1 AND {free}")}{_or_update(projection)} {returning}),
        taken AS (SELECT * FROM new UNION ALL SELECT * FROM known)
        {_left_out(projection)}""")


def take_looking(registry: Registry, projection: Projection) -> TextClause:
    """The same as `take`, with a check of parents and unique values before the upsert."""
    lonely = [
        f"(SELECT true FROM {registry[p.entity].table_name} p WHERE p.id = v.{p.column}) IS NULL"
        for p in projection.parents
    ]
    denied = [
        f"(SELECT true FROM {projection.table_name} h WHERE h.{c} = v.{c} AND h.id <> v.id LIMIT 1) IS NOT NULL"
        for c in projection.unique
    ]
    taken = _insert(projection, "free AND NOT lonely AND NOT denied") + _or_update(projection)
    return text(f"""
        WITH given AS MATERIALIZED ({row_values(projection)}), {_passed(projection)},
        looked AS MATERIALIZED (SELECT v.*, {_free(projection)} AS free FROM given v),
        v AS MATERIALIZED (
            SELECT v.*, free AND ({" OR ".join(lonely) or "false"}) AS lonely,
                free AND ({" OR ".join(denied) or "false"}) AS denied FROM looked v ORDER BY id),
        taken AS ({taken} {_returning(projection)})
        {_left_out(projection, more=", lonely, denied")}""")


def _write(projection: Projection, given: str, where: str, rows: str = "v") -> TextClause:
    taken = _insert(projection, where) + _or_update(projection)
    return text(f"WITH {given}, taken AS ({taken} {_returning(projection)}) {_left_out(projection, rows)}")


def _passed(projection: Projection) -> str:
    """The CTE `passed`: those of `:several` whose stored version is not lower than their `:oldest`.

    It locks their rows, so that no other transaction can raise a version between this check and the upsert.
    """
    stored = f"(SELECT t.version FROM {projection.table_name} t WHERE t.id = s.id FOR NO KEY UPDATE)"
    return f"""
        passed AS MATERIALIZED (
            SELECT s.id FROM (
                SELECT unnest(CAST(:several AS uuid[])) AS id, unnest(CAST(:oldest AS bigint[])) AS oldest ORDER BY id
            ) s WHERE {stored} >= s.oldest)"""


def _insert(projection: Projection, where: str) -> str:
    columns = ", ".join(projection.columns)
    return f"INSERT INTO {projection.table_name} AS t ({columns}) SELECT {columns} FROM v WHERE {where}"


def _or_update(projection: Projection) -> str:
    plain = [c for c in projection.columns if c != "id" and c not in projection.unique]
    return f"""
            ON CONFLICT (id) DO UPDATE SET {", ".join(f"{c} = excluded.{c}" for c in plain)}
            WHERE t.version < excluded.version"""


def _returning(projection: Projection) -> str:
    return "RETURNING " + ", ".join(f"t.{c}" for c in ("id", *projection.unique))


def _left_out(projection: Projection, rows: str = "v", more: str = "") -> str:
    differ = "".join(f" OR taken.{c} <> v.{c}" for c in projection.unique)
    return f"""
        SELECT v.id, taken.id IS NULL AS left_out{more} FROM {rows} v LEFT JOIN taken ON taken.id = v.id
        WHERE taken.id IS NULL{differ}"""


def _free(projection: Projection) -> str:
    """A condition: the row is not in `passed`, and nothing of its entity is kept aside or parked."""
    return f"id NOT IN (SELECT id FROM passed) AND {nothing_kept(projection)}"
