"""Follows the tables: what has changed since a cursor, so that caches and search indexes miss nothing.

    cursor = await start_cursor(session)  # first the cursor, then a copy of all that is there
    ...
    changes = await changed_since(session, cursor)
    for user in changes.of(User).rows: ...  # as it is now
    for gone in changes.of(User).gone: ...  # the id of a row that is deleted or hidden
    # keep what was done and `changes.cursor` together, and go on from there

The log (`models.change_log`) is read only below the oldest transaction that is still open on the server, so a
transaction that commits late is never passed over. A page has ids, and their rows are read afterwards: a row may be
newer than the page, and then comes again. Nothing is missed, and some of it comes twice.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar, cast
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, select, text
from sqlalchemy import cast as sql_cast
from sqlmodel import col

from neon_projector.models.base import ENTITY_SCHEMA, Entity
from neon_projector.models.change_log import CHANGES, EVERY_TRIGGER
from neon_projector.models.document import Document
from neon_projector.models.reading.changes_cursor import LogPlace, changes_cursor, log_place_of
from neon_projector.models.reading.documents import without_content
from neon_projector.models.reading.steps import Plan
from neon_projector.models.user import User

Table = TypeVar("Table", bound=Entity)

LEAST, MOST = 1_000, 10_000
"""A row of the log has up to 1000 ids, and is never divided."""
AGAIN = "read everything again (start_cursor, then a copy of the tables)"


class ChangesOff(Exception):
    """No changes are noted: an operator has to run `projector changes enable`."""


class CursorLost(Exception):
    """The log no longer has what was read last: read everything again."""


class Changed(NamedTuple, Generic[Table]):
    """Of one table: the rows that have changed, as they are now, and the ids of those that are not there now."""

    rows: Sequence[Table]
    gone: Sequence[UUID]


class Changes(NamedTuple):
    """What has changed. `cursor` is where to go on; `more`: there is more already."""

    changed: dict[type[Entity], Changed[Any]]
    cursor: str
    more: bool

    def of(self, table: type[Table]) -> Changed[Table]:
        """What has changed in this table. KeyError unless it was asked for."""
        return cast("Changed[Table]", self.changed[table])


_MICROSECONDS = "CAST(extract(epoch FROM {0}) * 1000000 AS bigint)"
_CLOSED = "xid < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)"
_STATE = f"""SELECT (SELECT system_identifier FROM pg_control_system()) AS server,
            (SELECT bool_and({EVERY_TRIGGER.format("t.name")}) FROM unnest(CAST(:tables AS text[])) t(name)) AS noted"""
_START = text(f"""
    SELECT s.server, s.noted, c.xid, c.number, {_MICROSECONDS.format("c.at")} AS at
    FROM ({_STATE}) s LEFT JOIN LATERAL (
        SELECT xid, number, at FROM {CHANGES} WHERE {_CLOSED} ORDER BY xid DESC, number DESC LIMIT 1) c ON true""")
_SINCE = text(f"""
    SELECT s.server, s.noted, s.begun, s.there, c.xid, c.number, {_MICROSECONDS.format("c.at")} AS at, c.table_name,
        CASE WHEN c.own > 0 THEN c.ids END AS ids, c.looked
    FROM (
        SELECT state.*, EXISTS (SELECT FROM {CHANGES}) AS begun, EXISTS (
            SELECT FROM {CHANGES} l WHERE l.xid = CAST(:xid AS bigint) AND l.number = CAST(:number AS bigint)
                AND {_MICROSECONDS.format("l.at")} = CAST(:at AS bigint)) AS there
        FROM ({_STATE}) state) s
    LEFT JOIN LATERAL (
        SELECT p.*, sum(p.own) OVER (ORDER BY p.xid, p.number) AS total, count(*) OVER () AS looked
        FROM (
            SELECT l.*, CASE WHEN l.table_name = ANY(CAST(:names AS text[])) THEN l.size ELSE 0 END AS own
            FROM {CHANGES} l
            WHERE (l.xid, l.number) > (CAST(:xid AS bigint), CAST(:number AS bigint)) AND {_CLOSED}
            ORDER BY l.xid, l.number LIMIT :most) p) c ON c.total <= CAST(:most AS bigint)
    ORDER BY c.xid, c.number""")


def start_cursor(*tables: type[Entity]) -> Plan[str]:
    """Where a follower of `tables` (default: users and documents) begins. Take it before the first copy is begun: what
    changes meanwhile comes afterwards. ChangesOff where the changes of a table are not noted."""
    ((server, noted, xid, number, at),) = (yield _START.bindparams(tables=_qualified(tables))) or ()
    if not noted or xid is None:
        raise ChangesOff(_off(tables))
    return changes_cursor(LogPlace(server, xid, number, at))


def changed_since(cursor: str, *tables: type[Entity], limit: int = LEAST, with_content: bool = False) -> Plan[Changes]:
    """What has changed in `tables` (default: users and documents) since `cursor`, oldest first, at most `limit` ids.

    Each id of a page is there once, and may come again later. Documents have no `content` unless `with_content` asks
    for it. Rows are as the database has them, whatever the session has loaded. Call it in a transaction of its own (in
    REPEATABLE READ a second call would see nothing new).

    CursorLost: read everything again. ChangesOff: the changes of a table are not noted (any more). ValueError unless
    `limit` is 1000 to 10000 and `cursor` a cursor of changes.
    """
    if not LEAST <= limit <= MOST:
        raise ValueError(f"limit must be {LEAST} to {MOST}")
    followed, place = tables or (User, Document), log_place_of(cursor)
    names = {str(table.__tablename__): table for table in followed}
    values = {"tables": _qualified(tables), "names": list(names), "most": limit}
    place_values = {"xid": place.xid, "number": place.number, "at": place.at}
    found = (yield _SINCE.bindparams(**values, **place_values)) or ()
    _check(found[0], place, tables)
    log = [row for row in found if row.xid is not None]
    touched: dict[str, dict[UUID, None]] = {name: {} for name in names}
    for row in log:
        if row.ids is not None:
            touched[row.table_name].update(dict.fromkeys(row.ids))
    changed = {}
    for name, table in names.items():
        changed[table] = yield from _rows(table, list(touched[name]), with_content)
    if not log:
        return Changes(changed, cursor, more=False)
    last = log[-1]
    reached = changes_cursor(LogPlace(place.server, last.xid, last.number, last.at))
    return Changes(changed, reached, more=len(log) < last.looked or last.looked == limit)


def _check(state: Any, place: LogPlace, tables: Sequence[type[Entity]]) -> None:
    if not state.noted or not state.begun:
        raise ChangesOff(_off(tables))
    if state.server != place.server:
        raise CursorLost(f"the cursor is of another server: {AGAIN}")
    if not state.there:
        reasons = "it is older than what is kept, or the database was put back to an earlier moment, or it is another"
        raise CursorLost(f"the log does not have the place of the cursor ({reasons}): {AGAIN}")


def _rows(table: type[Table], ids: list[UUID], with_content: bool) -> Plan[Changed[Table]]:
    if not ids:
        return Changed([], [])
    key = col(table.id)  # type: ignore[attr-defined]  # every table of ours has it
    rows = select(table).where(key == any_(sql_cast(ids, ARRAY(Uuid)))).execution_options(populate_existing=True)
    if table is Document and not with_content:
        rows = rows.options(*without_content())
    shown = {row.id: row for (row,) in (yield rows) or ()}
    return Changed([shown[one] for one in ids if one in shown], [one for one in ids if one not in shown])


def _qualified(tables: Iterable[type[Entity]]) -> list[str]:
    return [f"{ENTITY_SCHEMA}.{table.__tablename__}" for table in tuple(tables) or (User, Document)]


def _off(tables: Iterable[type[Entity]]) -> str:
    return f"changes of {', '.join(_qualified(tables))} are not noted: projector changes enable"
