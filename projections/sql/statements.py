"""The SQL of each projection, made once from its table's metadata: one statement for a whole batch, never per row.

Every statement takes arrays, one per column (`unnest`), so that its text does not depend on the batch. Users of
`ON CONFLICT DO UPDATE` beware: naming a unique column there takes a lock that conflicts with that of foreign keys,
and two streams deadlock for ever; so unique columns are changed by a statement of their own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.sql.elements import TextClause

from neon_projector.projections.contract.projection import Projection, Registry
from neon_projector.projections.sql.carried import kept_arrays, load, load_absent, load_parked, put_aside, whole
from neon_projector.projections.sql.parts import ABSENT, PARKED, arrays, nothing_kept, refuse, same_wait

VACATED = "@vacated.invalid"
"""Behind an id, a value that nobody else has: no event can bring it (the contract refuses the domain `invalid`,
RFC 2606), and it looks like an address: an application's check of addresses does not refuse it."""


@dataclass(frozen=True)
class Statements:
    """What the transaction executes for one projection. Arrays are named as the columns."""

    upsert: TextClause
    """Insert or update to a higher version. Returns the ids that the table did not take (`refused`), and those of
    rows whose unique columns are still to be changed."""
    take: TextClause
    """The same for complete states that nobody has looked at: refused are also those of which anything is kept aside
    or parked, and those of `:several` whose stored version is not lower than their `:oldest`. If a parent is not there,
    the foreign key refuses them all."""
    take_new: TextClause
    """The same, but states of version 1 are inserted without a look whether the entity is there, which saves a tenth of
    their cost (Postgres need not insert them on trial): a unique index refuses them all if one is."""
    take_looking: TextClause
    """The same as `take`; refused are also states without a parent (`lonely`) or free unique value (`denied`)."""
    change: TextClause
    """Bring rows from the version `:base` to `:version`, and change those columns of which `:mask` has the bit; nothing
    is done where the row is at another version, or anything of it is kept aside or parked. Returns the ids changed."""
    move_unique: TextClause | None
    """Change the unique columns of rows that `upsert` or `take` has brought to `:version`."""
    holders: Mapping[str, TextClause]
    """By unique column: who has the values `:value`, locked against changes."""
    seen_holders: Mapping[str, TextClause]
    """The same without a lock."""
    vacate: TextClause | None
    """Give the unique columns of `:id` values that nobody else has, for the moment: so that values can be swapped."""
    contested_by: TextClause
    """Contested ones that wait for a unique value which one of `:id` has, or that are among `:holder` themselves."""
    load: TextClause
    """The rows of `:id`, locked, and whether triggers may have changed them; of carried columns hashes."""
    lock: TextClause
    """Lock the rows of `:id` so that nobody can come to refer to them."""
    delete: TextClause
    load_absent: TextClause
    """States kept aside, of `:id`, in the table's own types."""
    put_aside: TextClause
    put_new_aside: TextClause
    """The same for entities of which nothing is kept aside: a third less to do."""
    refuse: TextClause
    """Keep states aside as `refused`."""
    drop_absent: TextClause
    load_parked: TextClause
    park: TextClause
    unpark: TextClause


def statements_for(registry: Registry, projection: Projection) -> Statements:
    """All of one projection's statements."""
    table, entity = projection.table_name, projection.entity
    aside = put_aside(projection)
    return Statements(
        upsert=_upsert(projection),
        take=_take(projection),
        take_new=_take_new(projection),
        take_looking=_take_looking(registry, projection),
        change=_change(projection),
        move_unique=_move_unique(projection),
        holders={c: text(f"{holding} FOR NO KEY UPDATE") for c, holding in _holding(projection).items()},
        seen_holders={c: text(holding) for c, holding in _holding(projection).items()},
        vacate=_vacate(projection),
        contested_by=text(f"""
            SELECT id FROM {ABSENT} WHERE entity = '{entity}' AND reason = 'contested'
                AND (waiting_for = ANY(CAST(:id AS uuid[])) OR id = ANY(CAST(:holder AS uuid[])))"""),
        load=text(load(projection)),
        lock=text(f"SELECT id FROM {table} WHERE id = ANY(CAST(:id AS uuid[])) ORDER BY id FOR UPDATE"),
        delete=text(f"DELETE FROM {table} WHERE id = ANY(CAST(:id AS uuid[]))"),
        load_absent=text(load_absent(projection)),
        put_new_aside=text(aside),
        put_aside=text(f"""{aside}
            ON CONFLICT (entity, id) DO UPDATE SET version = excluded.version, state = excluded.state,
                reason = excluded.reason, waiting_for = excluded.waiting_for, error = NULL,
                since = CASE WHEN {same_wait("a", "excluded")} THEN a.since ELSE excluded.since END
            WHERE a.version <= excluded.version"""),
        refuse=refuse(entity),
        drop_absent=text(f"DELETE FROM {ABSENT} WHERE entity = '{entity}' AND id = ANY(CAST(:id AS uuid[]))"),
        load_parked=text(load_parked(projection)),
        park=text(f"""
            INSERT INTO {PARKED}
                (entity, entity_id, version, type, data, event_id, source, topic, partition, "offset")
            SELECT '{entity}', v.* FROM unnest(
                CAST(:entity_id AS uuid[]), CAST(:version AS bigint[]), CAST(:type AS text[]), CAST(:data AS jsonb[]),
                CAST(:event_id AS text[]), CAST(:source AS text[]), CAST(:topic AS text[]),
                CAST(:partition AS integer[]), CAST(:offset AS bigint[])) AS v
            ON CONFLICT DO NOTHING"""),
        unpark=text(f"""
            DELETE FROM {PARKED} p
            USING unnest(CAST(:entity_id AS uuid[]), CAST(:version AS bigint[])) AS v(id, version)
            WHERE p.entity = '{entity}' AND p.entity_id = v.id AND p.version = v.version"""),
    )


def _upsert(projection: Projection) -> TextClause:
    if not projection.carried:
        return _write(projection, _given(projection), "true")
    kept = [
        f"unnest({array}) AS kept_{c}" for array, c in zip(kept_arrays(projection), projection.carried, strict=True)
    ]
    given = f"{_given(projection, more=kept, name='given')}, v AS MATERIALIZED ({whole('given', projection)})"
    return _write(projection, given, "true", rows="given")


def _take(projection: Projection) -> TextClause:
    return _write(projection, f"{_given(projection)}, {_passed(projection)}", _free(projection))


def _write(projection: Projection, given: str, where: str, rows: str = "v") -> TextClause:
    taken = _insert(projection, where) + _or_update(projection)
    return text(f"WITH {given}, taken AS ({taken} {_returning(projection)}) {_refused(projection, rows)}")


def _take_new(projection: Projection) -> TextClause:
    free, returning = _free(projection), _returning(projection)
    return text(f"""
        WITH {_given(projection)}, {_passed(projection)},
        new AS ({_insert(projection, f"version = 1 AND {free}")} {returning}),
        known AS ({_insert(projection, f"version > 1 AND {free}")}{_or_update(projection)} {returning}),
        taken AS (SELECT * FROM new UNION ALL SELECT * FROM known)
        {_refused(projection)}""")


def _take_looking(registry: Registry, projection: Projection) -> TextClause:
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
        WITH given AS MATERIALIZED ({_rows(projection)}), {_passed(projection)},
        looked AS MATERIALIZED (SELECT v.*, {_free(projection)} AS free FROM given v),
        v AS MATERIALIZED (
            SELECT v.*, free AND ({" OR ".join(lonely) or "false"}) AS lonely,
                free AND ({" OR ".join(denied) or "false"}) AS denied FROM looked v ORDER BY id),
        taken AS ({taken} {_returning(projection)})
        {_refused(projection, more=", lonely, denied")}""")


def _holding(projection: Projection) -> dict[str, str]:
    select = f"SELECT id, {{0}} AS value FROM {projection.table_name} WHERE {{0}} = ANY(CAST(:value AS text[]))"
    return {column: select.format(column) for column in projection.unique}


def _change(projection: Projection) -> TextClause:
    table, columns = projection.table_name, projection.changeable
    more = "unnest(CAST(:base AS bigint[])) AS base", "unnest(CAST(:mask AS integer[])) AS mask"
    given = _given(projection, "id", "version", *columns, more=more)
    new = ", ".join(
        f"{c} = CASE WHEN v.mask & {1 << bit} = 0 THEN t.{c} ELSE v.{c} END" for bit, c in enumerate(columns)
    )
    return text(f"""
        WITH {given}
        UPDATE {table} t SET version = v.version, {new} FROM v
        WHERE t.id = v.id AND t.version = v.base AND {nothing_kept(projection)} RETURNING t.id""")


def _given(projection: Projection, *only: str, more: Iterable[str] = (), name: str = "v") -> str:
    """`v` (or `name`), the rows, with all columns or `only` these, in the order of their ids: neighbours in the index
    come together, and two upserts at once can't deadlock (where two partitions have the same entities two of `take_new`
    can, and two of `take` that have several states of them: one begins anew).
    `unnest` in the select list: behind FROM Postgres would first put each array's elements into a store."""
    return f"{name} AS MATERIALIZED ({_rows(projection, *only, more=more)})"


def _rows(projection: Projection, *only: str, more: Iterable[str] = ()) -> str:
    rows = [f"unnest({arrays(projection, c)}) AS {c}" for c in only or projection.columns]
    return f"SELECT {', '.join([*rows, *more])} ORDER BY id"


def _passed(projection: Projection) -> str:
    """`passed`, those of `:several` whose stored version is not lower than their `:oldest`. Their rows are locked:
    nobody raises a version between this look and the upsert."""
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


def _refused(projection: Projection, rows: str = "v", more: str = "") -> str:
    differ = "".join(f" OR taken.{c} <> v.{c}" for c in projection.unique)
    return f"""
        SELECT v.id, taken.id IS NULL AS refused{more} FROM {rows} v LEFT JOIN taken ON taken.id = v.id
        WHERE taken.id IS NULL{differ}"""


def _free(projection: Projection) -> str:
    """It is none of `passed`, and nothing of it is kept."""
    return f"id NOT IN (SELECT id FROM passed) AND {nothing_kept(projection)}"


def _move_unique(projection: Projection) -> TextClause | None:
    if not projection.unique:
        return None
    table, given = projection.table_name, arrays(projection, "id", "version", *projection.unique)
    columns = ", ".join(projection.unique)
    differ = " OR ".join(f"t.{c} <> v.{c}" for c in projection.unique)
    return text(f"""
        UPDATE {table} t SET {", ".join(f"{c} = v.{c}" for c in projection.unique)}
        FROM unnest({given}) AS v(id, version, {columns})
        WHERE t.id = v.id AND t.version = v.version AND ({differ})""")


def _vacate(projection: Projection) -> TextClause | None:
    if not projection.unique:
        return None
    vacant = ", ".join(f"{c} = id::text || '{VACATED}'" for c in projection.unique)
    return text(f"UPDATE {projection.table_name} SET {vacant} WHERE id = ANY(CAST(:id AS uuid[]))")
