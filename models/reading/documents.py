"""What is asked of documents."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import defer, selectinload
from sqlmodel import col

from neon_projector.models.document import Document
from neon_projector.models.reading.checks import storable, zoned
from neon_projector.models.reading.page import Page, page
from neon_projector.models.reading.steps import Plan


def get_document(document_id: UUID, *, with_owner: bool = False) -> Plan[Document | None]:
    """One document with its content, or None. `with_owner` loads `document.owner` with a second statement."""
    found = select(Document).where(col(Document.id) == document_id).options(*_owner(with_owner))
    return next((document for (document,) in (yield found) or ()), None)


def list_documents(
    *,
    user_id: UUID | None = None,
    title_prefix: str | None = None,
    created_since: datetime | None = None,
    with_content: bool = False,
    with_owner: bool = False,
    limit: int = 50,
    after: str | None = None,
    with_total: bool = False,
) -> Plan[Page[Document]]:
    """A page of documents, newest first: all, or one user's, or those whose title begins so (as it is written: capital
    letters count). `created_since` takes those created then or later.

    Rows have no `content` unless `with_content` asks for it, and asking one for it is an error, no hidden query.
    ValueError unless `limit` is 1 to 1000, `after` a cursor of documents, `created_since` a time with a zone, and
    `title_prefix` free of NUL characters.
    """
    conditions = []
    if user_id is not None:
        conditions.append(col(Document.user_id) == user_id)
    if title_prefix is not None:
        conditions.append(col(Document.title).startswith(storable("title_prefix", title_prefix), autoescape=True))
    if created_since is not None:
        conditions.append(col(Document.created_at) >= zoned("created_since", created_since))
    options = [*([] if with_content else without_content()), *_owner(with_owner)]
    return page(Document, conditions, options, limit, after, with_total)


def without_content() -> list[Any]:
    """Leaves `content` in the database. Who asks a document for it then gets SQLAlchemy's InvalidRequestError."""
    return [defer(Document.content, raiseload=True)]  # type: ignore[arg-type]  # mypy sees its value


def _owner(wanted: bool) -> list[Any]:
    return [selectinload(Document.owner)] if wanted else []  # type: ignore[arg-type]  # mypy sees its value
