"""The statements for what waits: states kept aside, and parked events."""

from sqlalchemy import text
from sqlalchemy.sql.elements import TextClause

from neon_projector.projections.contract.projection import Projection
from neon_projector.projections.sql.carried import put_aside
from neon_projector.projections.sql.parts import ABSENT, PARKED


def put_new_aside(projection: Projection) -> TextClause:
    """Keep states aside. The statement fails if a state of the same entity is already there."""
    return text(put_aside(projection, whole=True))


def put_unknown_aside(projection: Projection) -> TextClause:
    """Keep states aside, but those of which anything is stored. Returns the ids of those that are kept."""
    entity = f"entity = '{projection.entity}'"
    return text(f"""{put_aside(projection, whole=True)}
            WHERE (SELECT true FROM {projection.table_name} t WHERE t.id = v.id) IS NULL
                AND (SELECT true FROM {PARKED} e WHERE e.{entity} AND e.entity_id = v.id LIMIT 1) IS NULL
            ON CONFLICT (entity, id) DO NOTHING RETURNING a.id""")


def put_any_aside(projection: Projection) -> TextClause:
    """Keep states aside; a newer or equal version replaces the one that is already there."""
    aside = put_aside(projection)
    return text(f"""{aside}
            ON CONFLICT (entity, id) DO UPDATE SET version = excluded.version, state = excluded.state,
                reason = excluded.reason, waiting_for = excluded.waiting_for, error = NULL,
                since = CASE WHEN {_same_wait("a", "excluded")} THEN a.since ELSE excluded.since END
            WHERE a.version <= excluded.version""")


def _same_wait(old: str, new: str) -> str:
    """A condition: the new state waits for the same thing, so `since` keeps its value.

    The reason must be the same, and for a hidden state also the parent. The grace period of a hidden state therefore
    starts at the parent's deletion or at the state's own arrival under that parent, whichever is later.
    """
    same_parent = f"{new}.reason <> 'parent_deleted' OR {old}.waiting_for = {new}.waiting_for"
    return f"{old}.reason = {new}.reason AND ({same_parent})"


def contested_by(entity: str) -> TextClause:
    """The contested states that wait for a value held by one of `:id`, and those among `:holder`."""
    return text(f"""
            SELECT id FROM {ABSENT} WHERE entity = '{entity}' AND reason = 'contested'
                AND (waiting_for = ANY(CAST(:id AS uuid[])) OR id = ANY(CAST(:holder AS uuid[])))""")


def refuse(entity: str) -> TextClause:
    """Mark the states `:id` as refused by the database; `:error` says what refused them. They no longer wait for
    another entity."""
    return text(f"""
        UPDATE {ABSENT} SET reason = 'refused', waiting_for = NULL, since = now(), error = :error
        WHERE entity = '{entity}' AND id = ANY(CAST(:id AS uuid[]))""")


def park(entity: str) -> TextClause:
    """Store events that wait for the versions before them. An event that is already parked stays as it is."""
    return text(f"""
            INSERT INTO {PARKED}
                (entity, entity_id, version, type, data, event_id, source, topic, partition, "offset", traceparent)
            SELECT '{entity}', v.* FROM unnest(
                CAST(:entity_id AS uuid[]), CAST(:version AS bigint[]), CAST(:type AS text[]), CAST(:data AS jsonb[]),
                CAST(:event_id AS text[]), CAST(:source AS text[]), CAST(:topic AS text[]),
                CAST(:partition AS integer[]), CAST(:offset AS bigint[]), CAST(:traceparent AS text[])) AS v
            ON CONFLICT DO NOTHING""")


def unpark(entity: str) -> TextClause:
    """Delete parked events by id and version."""
    return text(f"""
            DELETE FROM {PARKED} p
            USING unnest(CAST(:entity_id AS uuid[]), CAST(:version AS bigint[])) AS v(id, version)
            WHERE p.entity = '{entity}' AND p.entity_id = v.id AND p.version = v.version""")
