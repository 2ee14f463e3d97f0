"""The statements that write down what differs, and count what was compared. `:operation` is the operation's id."""

from collections.abc import Collection, Iterator

from sqlalchemy import text
from sqlalchemy.sql.elements import TextClause

from neon_projector.models import CONTROL_SCHEMA
from neon_projector.models.control.waiting import ABSENT_STATES, PARKED_EVENTS
from neon_projector.projections.contract.projection import Projection
from neon_projector.projections.sql.verify.tables import OPEN, Side

DIFFERENCES = f"{CONTROL_SCHEMA}.differences"
_INSERT = (
    f"INSERT INTO {DIFFERENCES} (operation_id, entity, id, table_name, kind, columns, expected_version, found_version)"
)


def find(projection: Projection, side: Side, whole: bool) -> Iterator[TextClause]:
    """Of one projection: rows, states kept aside, parked events. An event that waits at a version that the topics have
    come to is wrong whatever else they have lost."""
    places = side.of(projection, "places")
    for name, kind, version, columns in (
        (str(projection.table.name), "of_table", "r_version", "row_differs"),
        (ABSENT_STATES, "of_absent", "s_version", "state_differs || ARRAY['reason']"),
    ):
        yield text(f"""{_INSERT}
            SELECT CAST(:operation AS bigint), '{projection.entity}', id, '{name}',
                CASE WHEN ahead THEN 'ahead' ELSE {kind} END,
                CASE WHEN {kind} = 'different' THEN to_jsonb({_some(columns)}) END,
                CASE WHEN {kind} IN ('missing', 'different') THEN expected_version END,
                CASE WHEN {kind} <> 'missing' THEN {version} END
            FROM {places} WHERE {kind} IS NOT NULL ORDER BY id""")
    yield text(f"{_INSERT} {_of_events(projection, side, whole)} ORDER BY 3, 7, 8")


def _some(columns: str) -> str:
    """`state_differs || ARRAY['reason']`: the reason only where nothing else differs."""
    first, _, rest = columns.partition(" || ")
    return first if not rest else f"CASE WHEN cardinality({first}) > 0 THEN {first} ELSE {rest} END"


def _of_events(projection: Projection, side: Side, whole: bool) -> str:
    names = ("places", "events", "awaited", "ahead", "expected")
    places, events, awaited, ahead, expected = (side.of(projection, name) for name in names)
    silent = f"SELECT id FROM {places} WHERE doubt >= {OPEN} OR erased_right"
    lost = "" if whole else f" OR id IN (SELECT id FROM {places} WHERE is_there AND NOT has_e)"
    passed = f"SELECT FROM {expected} e WHERE e.id = f.id AND e.version >= f.version"
    unexpected = "'unexpected'" if whole else f"CASE WHEN EXISTS ({passed}) THEN 'unexpected' ELSE 'unprovable' END"
    head = f"CAST(:operation AS bigint), '{projection.entity}', id, '{PARKED_EVENTS}'"
    return f"""
        SELECT {head}, CASE WHEN id IN (SELECT id FROM {ahead}) THEN 'ahead' ELSE kind END,
            CASE WHEN kind = 'different' THEN to_jsonb(ARRAY['data']) END,
            CASE WHEN kind = 'different' THEN version END, version
        FROM (
            SELECT f.id, f.version, CASE WHEN count(a.id) = 0 THEN {unexpected}
                WHEN NOT coalesce(bool_or(a.type = f.type AND a.data = f.data), false) THEN 'different' END AS kind
            FROM {events} f LEFT JOIN {awaited} a ON a.id = f.id AND a.version = f.version
            WHERE f.id NOT IN ({silent}) GROUP BY f.id, f.version) found
        WHERE kind IS NOT NULL
        UNION ALL
        SELECT DISTINCT {head}, CASE WHEN id IN (SELECT id FROM {ahead}) THEN 'ahead' ELSE 'missing' END,
            CAST(NULL AS jsonb), version, CAST(NULL AS bigint)
        FROM {awaited} a
        WHERE always AND NOT EXISTS (SELECT FROM {events} f WHERE f.id = a.id AND f.version = a.version)
            AND NOT (id IN ({silent}) OR id IN (SELECT id FROM {side.discarded}){lost})"""


def counts(projection: Projection, side: Side) -> TextClause:
    """One row: how many rows were compared, how many that wait, and what is open by definition, by kind."""
    places = side.of(projection, "places")
    return text(f"""
        SELECT (SELECT count(*) FROM {side.of(projection, "rows")}) AS rows,
            (SELECT count(*) FROM {side.of(projection, "states")})
                + (SELECT count(*) FROM {side.of(projection, "events")}) AS waiting,
            count(*) FILTER (WHERE stands_aside AND of_absent IS NULL AND reason = 'contested') AS contested,
            count(*) FILTER (WHERE stands_aside AND of_absent IS NULL AND reason = 'refused') AS refused,
            count(*) FILTER (WHERE erased_right) AS erased, count(*) FILTER (WHERE given_up) AS discarded,
            count(*) FILTER (WHERE doubt > 0) AS disputed
        FROM {places}""")


BY_KIND = text(f"SELECT kind, count(*) AS number FROM {DIFFERENCES} WHERE operation_id = :operation GROUP BY kind")
KEPT = 10
"""Of so many verifications it is kept what differed."""
FORGET = text(f"""
    DELETE FROM {DIFFERENCES} WHERE operation_id = :operation OR operation_id NOT IN (
        SELECT id FROM {CONTROL_SCHEMA}.operations WHERE command IN ('verify', 'rebuild')
        ORDER BY id DESC LIMIT {KEPT})""")
LIST = text(f"""
    SELECT table_name AS "table", id, kind, columns, expected_version, found_version FROM {DIFFERENCES}
    WHERE operation_id = :operation ORDER BY kind = 'unprovable', number LIMIT :most""")
"""What is known to be wrong comes first: after retention there may be thousands of which nothing is known."""
IDS = text(f"SELECT DISTINCT entity, id FROM {DIFFERENCES} WHERE operation_id = :operation LIMIT :most")


def unexplained(childless: Collection[str]) -> TextClause:
    """How many may have another cause than a change by hand, where a part of the topics was read: what is newer than
    all that was read of it, or is nowhere in what was read, or is gone with what hung on it. `childless` are the
    entities on which nothing can hang."""
    alone = ", ".join(f"'{entity}'" for entity in childless)
    gone = f"kind = 'missing' AND entity IN ({alone})" if childless else "false"
    return text(f"""
        SELECT count(*) FROM {DIFFERENCES} WHERE operation_id = :operation AND ({gone}
            OR kind = 'different' AND coalesce(found_version <= expected_version, false)) IS NOT TRUE""")
