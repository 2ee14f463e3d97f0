"""What differs because it is ahead of the positions: the service had read records that are now at or behind its
positions, which were set back, or deleted. Of such an entity the topics have an event there that they do not have
before, and what is found of it is not older than that event: so what somebody changed by hand is told from it, while
the service is merely behind, and while old events are published again.

Tables of each projection: `later` (id and version of each event at or behind the positions), and `ahead` (ids).
"""

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.sql.elements import TextClause

from neon_projector.projections.contract.projection import Projection, Registry
from neon_projector.projections.sql.verify.differences import DIFFERENCES
from neon_projector.projections.sql.verify.tables import Scope, Side

LATER = ("id", "version")
"""The columns of `later`."""


def begin(registry: Registry, side: Side, scope: Scope) -> Iterator[str]:
    """Make both, empty, also where they are there already."""
    for projection in (p for p in registry if scope.has(p)):
        for name, columns in (("later", "id uuid, version bigint"), ("ahead", "id uuid")):
            yield f"DROP TABLE IF EXISTS {side.of(projection, name)}"
            yield f"CREATE UNLOGGED TABLE {side.of(projection, name)} ({columns})"


def find(projection: Projection, side: Side) -> TextClause:
    """Fill `ahead` from what `:operation` has found to differ, and from `later`. All versions up to that of a state are
    in it, or were read; those beyond it are `awaited`."""
    names = ("ahead", "later", "expected", "several", "awaited")
    ahead, later, expected, several, awaited = (side.of(projection, name) for name in names)
    return text(f"""
        INSERT INTO {ahead}
        SELECT DISTINCT d.id FROM (
            SELECT id, max(found_version) AS version FROM {DIFFERENCES}
            WHERE operation_id = :operation AND entity = '{projection.entity}' GROUP BY id) d
        JOIN {later} l ON l.id = d.id AND l.version <= d.version
        LEFT JOIN (
            SELECT id, min(version) AS version FROM (
                SELECT id, version FROM {expected} UNION ALL SELECT id, version FROM {several}) s GROUP BY id
        ) e ON e.id = d.id
        WHERE l.version > coalesce(e.version, 0)
            AND NOT EXISTS (SELECT FROM {awaited} a WHERE a.id = l.id AND a.version = l.version)""")
