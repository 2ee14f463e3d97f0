"""SQL for columns without a bound on their length (`Projection.carried`): stored values never leave the database.

A stored value is loaded as a hash (`state.kept.Kept`), and only for the entities `:compared`. One statement reads at
most `:most` bytes of values. If a decided state keeps a stored value, the statement that writes the state copies the
value inside the database: `:kept_<column>` is the version of the row, the state kept aside or the parked event that
holds it, and NULL if the value is among the parameters. Each of these has its own version, so the version identifies
it. If it no longer exists, the statement refuses the entity.
"""

from neon_projector.projections.contract.projection import Projection
from neon_projector.projections.sql.parts import ABSENT, PARKED, changed_by_triggers, row_values

SHORT = 1_000
"""Bytes: values of parked events up to this size are loaded as they are."""
SHOWN = 100
"""Characters that are loaded of a longer value, because the contract reads a parked event again."""
PARKED_BYTES = 4_096
"""Bytes that each parked event counts, in addition to its long values."""
_ONE_IF_TOO_LARGE = "LIMIT (SELECT CASE WHEN bytes > CAST(:most AS bigint) THEN 1 END FROM stored)"
"""If more than `:most` bytes are stored, one row is enough to say so."""


def _hashed(column: str, entity_id: str) -> str:
    """NULL for NULL, the hash of a value to be compared, and an empty hash for others, which are not read at all."""
    return f"""CASE WHEN {column} IS NULL THEN NULL WHEN {entity_id} = ANY(CAST(:compared AS uuid[]))
        AND stored.bytes <= CAST(:most AS bigint) THEN sha256(convert_to({column}, 'UTF8')) ELSE ''::bytea END"""


def _stored(projection: Projection, stored_as: str) -> str:
    """The CTE `stored`: the bytes of all carried values in `mine`, the rows that were found, each by `stored_as`.
    Postgres knows the lengths of values that it stores out of line (TOAST) without reading them."""
    sizes = " + ".join(f"coalesce(octet_length({stored_as.format(c)}), 0)" for c in projection.carried)
    return f"stored AS (SELECT coalesce(sum({sizes}), 0) AS bytes FROM mine)"


def _stored_parked(projection: Projection) -> str:
    """The same for the parked events of `:id`."""
    sizes = " + ".join([str(PARKED_BYTES), *(f"coalesce(octet_length(data ->> '{c}'), 0)" for c in projection.carried)])
    where = f"entity = '{projection.entity}' AND entity_id = ANY(CAST(:id AS uuid[]))"
    return f"stored AS (SELECT coalesce(sum({sizes}), 0) AS bytes FROM {PARKED} WHERE {where})"


def load(projection: Projection) -> str:
    """The rows of `:id`, locked."""
    carried, ours = projection.carried, "WHERE t.id = ANY(CAST(:id AS uuid[])) ORDER BY t.id"
    locked, changed = "FOR NO KEY UPDATE OF t", f"{changed_by_triggers(projection)} AS changed_by_triggers"
    columns = ", ".join(f"{_hashed(f't.{c}', 't.id')} AS {c}" if c in carried else f"t.{c}" for c in projection.columns)
    if not carried:
        return f"SELECT {columns}, {changed} FROM {projection.table_name} t {ours} {locked}"
    mine = f"SELECT {', '.join(f't.{c}' for c in projection.columns)} FROM {projection.table_name} t {ours} {locked}"
    return f"""
        WITH mine AS MATERIALIZED ({mine}), {_stored(projection, "{}")}
        SELECT {columns}, {changed}, stored.bytes AS stored_bytes FROM mine t, stored {_ONE_IF_TOO_LARGE}"""


def load_absent(projection: Projection) -> str:
    """The states of `:id` that are kept aside, in the table's own types."""
    carried, state = projection.carried, {c: f"s.{c}" for c in projection.columns}
    state |= {c: _hashed(f"s.{c}", "a.id") for c in carried}
    columns = ", ".join(f"{value} AS state_{c}" for c, value in state.items())
    mine = f"""SELECT a.id, a.version, a.reason, a.state FROM {ABSENT} a
        WHERE a.entity = '{projection.entity}' AND a.id = ANY(CAST(:id AS uuid[]))"""
    stored = ", " + _stored(projection, "state ->> '{}'") if carried else ""
    return f"""
        WITH mine AS MATERIALIZED ({mine}){stored}
        SELECT a.id AS entity_id, a.version AS at_version, a.reason, {columns},
            {changed_by_triggers(projection)} AS changed_by_triggers
        {", stored.bytes AS stored_bytes" if carried else ""}
        FROM mine a, LATERAL jsonb_populate_record(NULL::{projection.table_name}, a.state) s
        {", stored" if carried else ""}
        {_ONE_IF_TOO_LARGE if carried else ""}"""


def load_parked(projection: Projection) -> str:
    """The parked events of `:id`, locked. Long values are cut in `data`; `kept_<column>` has their hashes."""
    carried = projection.carried
    texts = ", ".join(
        f"CASE WHEN jsonb_typeof(e.data -> '{c}') = 'string' THEN e.data ->> '{c}' END AS {c}" for c in carried
    )
    cut = ", ".join(f"'{c}', CASE WHEN {_is_long(c)} THEN left(l.{c}, {SHOWN}) END" for c in carried)
    kept = "".join(
        f", CASE WHEN {_is_long(c)} THEN {_hashed(f'l.{c}', 'e.entity_id')} END AS kept_{c}" for c in carried
    )
    return f"""
        WITH {_stored_parked(projection)}
        SELECT e.entity_id, e.version, e.type, e.data || jsonb_strip_nulls(jsonb_build_object({cut})) AS data,
            e.event_id, e.source, e.topic, e.partition, e."offset", stored.bytes AS stored_bytes {kept}
        FROM {PARKED} e CROSS JOIN LATERAL (SELECT {texts} OFFSET 0) l, stored
        WHERE e.entity = '{projection.entity}' AND e.entity_id = ANY(CAST(:id AS uuid[]))
        {_ONE_IF_TOO_LARGE} FOR UPDATE OF e"""


def _is_long(column: str) -> str:
    return f"octet_length(l.{column}) > {SHORT}"


def kept_arrays(projection: Projection) -> list[str]:
    """One array parameter per carried column."""
    return [f"CAST(:kept_{c} AS bigint[])" for c in projection.carried]


def whole(rows: str, projection: Projection) -> str:
    """The `rows` with their carried values, which are given or copied from where they are stored."""
    columns = ", ".join(f"{'s' if c in projection.carried else 'v'}.{c}" for c in projection.columns)
    return f"SELECT {columns} FROM {rows} v {_values(projection, as_json=False)}"


def put_aside(projection: Projection, *, whole: bool = False) -> str:
    """INSERT into the states kept aside. Rows are sorted before their `state` is built, because it may be large.

    With `whole` all values are given, and none is looked for where it is stored.
    """
    carried = () if whole else projection.carried
    state = ", ".join(f"'{c}', {'s' if c in carried else 'v'}.{c}" for c in projection.columns)
    more = ["unnest(CAST(:reason AS text[])) AS reason", "unnest(CAST(:waiting_for AS uuid[])) AS waiting_for"]
    kept = () if whole else zip(kept_arrays(projection), carried, strict=True)
    given = row_values(projection, more=[*more, *(f"unnest({array}) AS kept_{column}" for array, column in kept)])
    return f"""
        INSERT INTO {ABSENT} AS a (entity, id, version, state, reason, waiting_for)
        SELECT '{projection.entity}', v.id, v.version,
               CASE WHEN v.reason IN ('deleted', 'erased') THEN NULL ELSE jsonb_build_object({state}) END,
               v.reason, v.waiting_for
        FROM ({given}) v
        {"" if whole else _values(projection, as_json=True)}"""


def _values(projection: Projection, *, as_json: bool) -> str:
    """A lateral join to the rows `v`: `s` has their carried values. It drops rows whose stored value is gone."""
    if not projection.carried:
        return ""
    values = ", ".join(f"{_value(projection, c, as_json)} AS {c}" for c in projection.carried)
    there = " AND ".join(f"(v.kept_{c} IS NULL OR s.{c} IS NOT NULL)" for c in projection.carried)
    return f"CROSS JOIN LATERAL (SELECT {values} OFFSET 0) s WHERE {there}"  # OFFSET: each value is fetched once


def _value(projection: Projection, column: str, as_json: bool) -> str:
    entity, kept = f"entity = '{projection.entity}'", f"v.kept_{column}"
    given, shown, arrow = (
        (f"to_jsonb(v.{column})", f"to_jsonb(o.{column})", "->") if as_json else (f"v.{column}", f"o.{column}", "->>")
    )
    return f"""CASE WHEN {kept} IS NULL THEN {given} ELSE coalesce(
        (SELECT {shown} FROM {projection.table_name} o WHERE o.id = v.id AND o.version = {kept}),
        (SELECT a.state {arrow} '{column}' FROM {ABSENT} a WHERE a.{entity} AND a.id = v.id AND a.version = {kept}),
        (SELECT e.data {arrow} '{column}' FROM {PARKED} e
            WHERE e.{entity} AND e.entity_id = v.id AND e.version = {kept})) END"""
