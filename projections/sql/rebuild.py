"""The statements with which `rebuild` looks at entities, and brings them where their events can be written again."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.sql.elements import TextClause

from neon_projector.projections.contract.projection import Projection
from neon_projector.projections.sql.parts import ABSENT, PARKED
from neon_projector.projections.sql.verify.tables import Side, found

_IDS = "CAST(:id AS uuid[])"


@dataclass(frozen=True)
class RebuildStatements:
    """For one projection. `:id` are ids of its entities."""

    look: TextClause
    """Of each `:id`: what `seen` says of it now, and all there is of it as JSON: its `row`, its `state` kept aside, its
    parked `events` (an array), each NULL where there is none."""
    seen: TextClause
    """Of each `:id` what stands for all there is of it; equal where nothing has changed."""
    put_down: TextClause
    """Forget the states kept aside and the parked events, and give the rows version 0, which is below any event's. The
    rows stay: what an application has attached to them by foreign keys would go with them. Parked events of
    `:kept_version` of `:kept_id`, two arrays side by side, stay too."""
    settle: TextClause
    """Rows that are still at version 0, because their newest state is contested: they stay as they were shown, below
    the version that waits. `:id` and `:version` are what was there. Returns the ids of those that can't: none earlier
    is known."""
    keep_since: TextClause
    """States kept aside for the same reason as before wait since the same time. `:before`: an array of states."""
    keep_parked_since: TextClause
    """The same for parked events."""
    put_back_state: TextClause
    """Insert `:state`, which is JSON as `look` gave it."""
    put_back_events: TextClause
    put_back_row: TextClause
    """Give the row the columns of `:row`."""
    table: str
    own_columns: TextClause
    """The names, quoted, of those columns of the table that `:row` has and that can be written: also those of an
    application, which go with a row that is deleted."""

    def insert_row(self, columns: Iterable[str]) -> TextClause:
        """Insert these columns of `:row`."""
        names = ", ".join(columns)
        return text(f"""
            INSERT INTO {self.table} ({names}) OVERRIDING SYSTEM VALUE
            SELECT {names} FROM jsonb_populate_record(NULL::{self.table}, CAST(:row AS jsonb))""")


def seen_in(projection: Projection, side: Side, ids: str) -> str:
    """A SELECT of `id` and `seen`, as `RebuildStatements.seen`, but of what `verify` has copied aside. `ids` is a
    SELECT of ids."""
    rows, states, events = (f"SELECT * FROM {side.of(projection, name)}" for name in ("rows", "states", "events"))
    return _seen(ids, rows, states, events)


def rebuild_statements(projection: Projection) -> RebuildStatements:
    """All of one projection's."""
    table, entity = projection.table_name, projection.entity
    columns = [column for column in projection.columns if column != "id"]
    seen = _seen(f"SELECT unnest({_IDS}) AS id", *found(projection, lambda column: f"{column} = ANY({_IDS})"))
    return RebuildStatements(
        look=text(f"""
            SELECT s.id, s.seen, t.version AS row_version, CAST(to_jsonb(t) AS text) AS "row",
                CAST(to_jsonb(a) AS text) AS state, p.events
            FROM ({seen}) s LEFT JOIN {table} t ON t.id = s.id
            LEFT JOIN {ABSENT} a ON a.entity = '{entity}' AND a.id = s.id
            LEFT JOIN LATERAL (
                SELECT CAST(jsonb_agg(to_jsonb(e) ORDER BY e.version) AS text) AS events FROM {PARKED} e
                WHERE e.entity = '{entity}' AND e.entity_id = s.id) p ON true"""),
        seen=text(seen),
        put_down=text(f"""
            WITH states AS (DELETE FROM {ABSENT} WHERE entity = '{entity}' AND id = ANY({_IDS})),
                events AS (DELETE FROM {PARKED} WHERE entity = '{entity}' AND entity_id = ANY({_IDS})
                    AND (entity_id, version) NOT IN (
                        SELECT * FROM unnest(CAST(:kept_id AS uuid[]), CAST(:kept_version AS bigint[]))))
            UPDATE {table} SET version = 0 WHERE id = ANY({_IDS})"""),
        settle=text(f"""
            UPDATE {table} t SET version = greatest(0, least(v.version, a.version - 1))
            FROM unnest({_IDS}, CAST(:version AS bigint[])) AS v(id, version)
            JOIN {ABSENT} a ON a.entity = '{entity}' AND a.id = v.id
            WHERE t.id = v.id AND t.version = 0 RETURNING t.id, t.version"""),
        keep_since=text(f"""
            UPDATE {ABSENT} a SET since = b.since
            FROM jsonb_populate_recordset(NULL::{ABSENT}, CAST(:before AS jsonb)) b
            WHERE a.entity = '{entity}' AND b.entity = a.entity AND b.id = a.id AND b.reason = a.reason
                AND b.waiting_for IS NOT DISTINCT FROM a.waiting_for"""),
        keep_parked_since=text(f"""
            UPDATE {PARKED} p SET since = b.since, traceparent = coalesce(p.traceparent, b.traceparent)
            FROM jsonb_populate_recordset(NULL::{PARKED}, CAST(:before AS jsonb)) b
            WHERE p.entity = '{entity}' AND b.entity = p.entity AND b.entity_id = p.entity_id
                AND b.version = p.version"""),
        put_back_state=_insert(ABSENT, "SELECT * FROM jsonb_populate_record(NULL::{0}, CAST(:state AS jsonb))"),
        put_back_events=_insert(PARKED, "SELECT * FROM jsonb_populate_recordset(NULL::{0}, CAST(:events AS jsonb))"),
        put_back_row=text(f"""
            UPDATE {table} t SET {", ".join(f"{c} = b.{c}" for c in columns)}
            FROM jsonb_populate_record(NULL::{table}, CAST(:row AS jsonb)) b WHERE t.id = b.id"""),
        table=table,
        own_columns=text(f"""
            SELECT quote_ident(attname) FROM pg_catalog.pg_attribute
            WHERE attrelid = CAST('{table}' AS regclass) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
                AND jsonb_exists(CAST(:row AS jsonb), attname) ORDER BY attnum"""),
    )


def _insert(table: str, select: str) -> TextClause:
    return text(f"INSERT INTO {table} {select.format(table)}")


def _seen(ids: str, rows: str, states: str, events: str) -> str:
    return f"""
        SELECT v.id, sha256(convert_to(
            jsonb_build_array(to_jsonb(r), to_jsonb(s), e.whole)::text, 'UTF8')) AS seen
        FROM ({ids}) v LEFT JOIN ({rows}) r ON r.id = v.id LEFT JOIN ({states}) s ON s.id = v.id
        LEFT JOIN (
            SELECT o.id, jsonb_agg(to_jsonb(o) ORDER BY o.version) AS whole FROM ({events}) o GROUP BY o.id
        ) e ON e.id = v.id"""
