"""Pages of users or documents, newest first."""

from collections.abc import Sequence
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

from pydantic import Field
from sqlalchemy import ColumnElement, func, select, tuple_
from sqlmodel import col

from neon_projector.models.document import Document
from neon_projector.models.reading.checks import MAX_PAGE, limited
from neon_projector.models.reading.cursor import Place, cursor, place_of
from neon_projector.models.reading.steps import Plan
from neon_projector.models.user import User

Row = TypeVar("Row", User, Document)
Item = TypeVar("Item")

Limit = Annotated[int, Field(ge=1, le=MAX_PAGE)]
"""A parameter of a request: what is not 1 to 1000 is a 422 in FastAPI."""


class Page(NamedTuple, Generic[Item]):
    """Rows, newest first; the cursor of the next page, None on the last one; how many rows there are, if asked for."""

    rows: Sequence[Item]
    after: str | None
    total: int | None = None


def page(
    table: type[Row],
    conditions: Sequence[ColumnElement[bool]],
    options: list[Any],
    limit: int,
    after: str | None,
    with_total: bool,
) -> Plan[Page[Row]]:
    """One page by keyset on (created_at, id). With the total there is a statement more, which reads all that match."""
    name = str(table.__tablename__)
    rows = select(table).where(*conditions).options(*options)
    if after is not None:
        rows = rows.where(tuple_(col(table.created_at), col(table.id)) < place_of(name, after))
    rows = rows.order_by(col(table.created_at).desc(), col(table.id).desc()).limit(limited(limit) + 1)
    found = [row for (row,) in (yield rows) or ()]
    total = None
    if with_total:
        ((total,),) = (yield select(func.count()).select_from(table).where(*conditions)) or ()
    shown = found[:limit]
    more = len(found) > limit
    return Page(shown, cursor(name, Place(shown[-1].created_at, shown[-1].id)) if more else None, total)
