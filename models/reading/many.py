"""Several rows by their ids."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, cast, select
from sqlmodel import col

from neon_projector.models.document import Document
from neon_projector.models.reading.checks import MAX_PAGE
from neon_projector.models.reading.documents import without_content
from neon_projector.models.reading.page import Row
from neon_projector.models.reading.steps import Plan


def get_many(table: type[Row], ids: Iterable[UUID], *, with_content: bool = False) -> Plan[dict[UUID, Row]]:
    """By id the users or documents that are there, in the order of `ids`; what is not there is left out. Documents have
    no `content` unless `with_content` asks for it. ValueError for more than 1000 ids, TypeError for texts."""
    wanted = list(dict.fromkeys(ids))
    if len(wanted) > MAX_PAGE:
        raise ValueError(f"at most {MAX_PAGE} ids, {len(wanted)} came")
    if not all(isinstance(one, UUID) for one in wanted):  # the database would find a text's row, `wanted` has no UUID
        raise TypeError("ids are UUIDs, not texts")
    return _many(table, wanted, with_content)


def _many(table: type[Row], wanted: list[UUID], with_content: bool) -> Plan[dict[UUID, Row]]:
    found = select(table).where(col(table.id) == any_(cast(wanted, ARRAY(Uuid))))
    if table is Document and not with_content:
        found = found.options(*without_content())
    rows = {row.id: row for (row,) in (yield found) or ()}
    return {one: rows[one] for one in wanted if one in rows}
