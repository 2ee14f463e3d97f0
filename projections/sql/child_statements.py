"""The SQL that hides children when a parent is deleted, and shows them when the last missing parent arrives."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.sql.elements import TextClause

from neon_projector.projections.contract.projection import Parent, Projection, Registry
from neon_projector.projections.sql.parts import ABSENT

_FOR_A_PARENT = "('no_parent', 'parent_deleted')"
_GONE = "('deleted', 'erased', 'parent_deleted')"


@dataclass(frozen=True)
class ChildStatements:
    """For one child entity and one of its parents. `:id` are ids of the parent, unless said otherwise; returned ids are
    the child's."""

    missing_parents: TextClause
    """The missing ones of `:id`, each with the reason for which its children are kept aside."""
    children: TextClause
    """The children in the table."""
    hide: TextClause
    """Move the children from the table to the states kept aside, for the reason `:reason`."""
    mark: TextClause
    """Give the children that are already aside the reason `:reason`."""
    wait_on: tuple[TextClause, ...]
    """Let the children that lack another parent wait for that one. One statement per other parent."""
    release: TextClause
    """Show the children. Returns how many left the states kept aside (`freed`) and how many reached the table: as the
    number `shown`, or one row with the `id` of each if they have children themselves."""
    to_release: TextClause
    """The children that `release` would show."""
    release_some: TextClause
    """Show the children `:id` (ids of children); returns the same."""
    left: TextClause
    """A row if the table still has children of `:id`."""


def child_statements_for(registry: Registry, child: Projection, link: Parent) -> ChildStatements:
    """The statements for `child` and the parent that `link` names."""
    table, entity = child.table_name, child.entity
    state = ", ".join(f"'{c}', gone.{c}" for c in child.columns)
    parent = registry[link.entity]
    ids = "CAST(:id AS uuid[])"
    wanted = f"CAST(state ->> '{link.column}' AS uuid)"
    waiting = f"entity = '{entity}' AND waiting_for = ANY({ids}) AND reason IN {_FOR_A_PARENT}"
    return ChildStatements(
        missing_parents=text(f"""
            SELECT v.id, CASE WHEN a.reason IN {_GONE} THEN 'parent_deleted' ELSE 'no_parent' END AS reason
            FROM unnest({ids}) AS v(id) LEFT JOIN {ABSENT} a ON a.entity = '{parent.entity}' AND a.id = v.id
            WHERE NOT EXISTS (SELECT FROM {parent.table_name} p WHERE p.id = v.id)"""),
        children=text(f"SELECT id FROM {table} WHERE {link.column} = ANY({ids})"),
        hide=text(f"""
            WITH gone AS (DELETE FROM {table} WHERE {link.column} = ANY({ids}) RETURNING *)
            INSERT INTO {ABSENT} AS a (entity, id, version, state, reason, waiting_for)
            SELECT '{entity}', gone.id, gone.version, jsonb_build_object({state}), CAST(:reason AS text),
                gone.{link.column} FROM gone
            ON CONFLICT (entity, id) DO UPDATE SET version = excluded.version, state = excluded.state,
                reason = excluded.reason, waiting_for = excluded.waiting_for, since = excluded.since, error = NULL
            WHERE a.version < excluded.version"""),
        mark=text(f"""
            UPDATE {ABSENT} SET reason = CAST(:reason AS text), since = now(), error = NULL,
                waiting_for = CASE WHEN reason = 'refused' THEN {wanted} ELSE waiting_for END
            WHERE entity = '{entity}' AND reason <> CAST(:reason AS text) AND (
                waiting_for = ANY({ids}) AND reason IN {_FOR_A_PARENT} OR reason = 'refused' AND {wanted} = ANY({ids}))
            {"RETURNING id" if registry.children_of(entity) else ""}"""),
        wait_on=tuple(_wait_on(registry, waiting, other) for other in child.parents if other != link),
        release=_release(registry, child, waiting),
        to_release=text(f"SELECT id FROM {ABSENT} WHERE {waiting} ORDER BY id"),
        release_some=_release(
            registry, child, f"entity = '{entity}' AND id = ANY({ids}) AND reason IN {_FOR_A_PARENT}"
        ),
        left=text(f"SELECT id FROM {table} WHERE {link.column} = ANY({ids}) LIMIT 1"),
    )


def _release(registry: Registry, child: Projection, which: str) -> TextClause:
    """The state becomes a record in a select list: as a function in FROM it is put into a tuplestore, row by row, which
    makes the whole a tenth slower. OFFSET 0 keeps Postgres from computing it once for each column."""
    columns, below = ", ".join(child.columns), registry.children_of(child.entity)
    record = f"jsonb_populate_record(NULL::{child.table_name}, state)"
    return text(f"""
        WITH freed AS (DELETE FROM {ABSENT} WHERE {which} RETURNING state),
        shown AS (
            INSERT INTO {child.table_name} ({columns})
            SELECT {", ".join(f"(s.r).{c}" for c in child.columns)}
            FROM (SELECT {record} AS r FROM freed OFFSET 0) s ORDER BY (s.r).id
            RETURNING id)
        SELECT f.freed, {"s.id" if below else "s.shown"} FROM (SELECT count(*) AS freed FROM freed) f
        LEFT JOIN {"shown" if below else "(SELECT count(*) AS shown FROM shown)"} s ON true""")


def _wait_on(registry: Registry, waiting: str, other: Parent) -> TextClause:
    """A hidden child now waits for another parent, so its grace period starts again (see `waiting._same_wait`)."""
    parent = registry[other.entity]
    wanted = f"CAST(c.state ->> '{other.column}' AS uuid)"
    reason = f"""CASE WHEN EXISTS (
                SELECT FROM {ABSENT} a WHERE a.entity = '{parent.entity}' AND a.id = {wanted} AND a.reason IN {_GONE}
            ) THEN 'parent_deleted' ELSE 'no_parent' END"""
    return text(f"""
        UPDATE {ABSENT} c SET waiting_for = {wanted}, reason = {reason},
            since = CASE WHEN c.reason = 'no_parent' AND {reason} = 'no_parent' THEN c.since ELSE now() END
        WHERE {waiting} AND NOT EXISTS (SELECT FROM {parent.table_name} p WHERE p.id = {wanted})""")
