"""Read your own writes by the version of an entity: the row itself, as soon as it is there."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlmodel import col

from neon_projector.models.control import AbsentState
from neon_projector.models.reading.checks import counted
from neon_projector.models.reading.page import Row
from neon_projector.models.reading.patience import pauses, seeing_new
from neon_projector.models.reading.steps import Plan

ENTITIES = {"users": "user", "documents": "document"}
"""By table, the name in `absent_states`."""
GONE = ("deleted", "erased")


def wait_for_version(table: type[Row], entity_id: UUID, version: int, *, timeout: float = 5.0) -> Plan[Row | None]:
    """The user or document as soon as its row has this version or a later one. None if it is deleted at this version or
    a later one, so that the row will not come.

    TimeoutError after `timeout` seconds (the last question's own time comes on top); it says so if the state is there
    and kept aside, as of a document whose owner is not there. The row is read from the database, also where the session
    had loaded it. ValueError in a transaction with a snapshot (REPEATABLE READ), and for a negative version.
    """
    return (yield from seeing_new(_wait(table, entity_id, version, timeout)))


def _wait(table: type[Row], entity_id: UUID, version: int, timeout: float) -> Plan[Row | None]:
    found = select(table).where(col(table.id) == entity_id, col(table.version) >= counted("version", version))
    found = found.execution_options(populate_existing=True)
    waiting = pauses(timeout)
    while True:
        for (row,) in (yield found) or ():
            return row  # type: ignore[no-any-return]  # the rows of `found` are of this table
        reasons = [reason for (reason,) in (yield _aside(table, entity_id, version)) or ()]
        if not set(reasons).isdisjoint(GONE):
            return None
        pause = next(waiting, None)
        if pause is None:
            aside = f": its state is kept aside ({reasons[0]})" if reasons else ""
            raise TimeoutError(f"version {version} is not there within {timeout:g} s{aside}")
        yield pause


def _aside(table: type[Row], entity_id: UUID, version: int) -> Select[Any]:
    return select(col(AbsentState.reason)).where(
        col(AbsentState.entity) == ENTITIES[str(table.__tablename__)],
        col(AbsentState.id) == entity_id,
        col(AbsentState.version) >= version,
    )
