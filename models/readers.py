"""Queries for applications: one user, a user with documents, pages of users or documents. None is N+1."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, func, tuple_
from sqlalchemy.orm import selectinload
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from neon_projector.models.document import Document
from neon_projector.models.user import User

Row = TypeVar("Row", User, Document)

MAX_PAGE = 1000

Cursor = tuple[datetime, UUID]
"""The end of a page: the last row's `created_at` and `id`."""


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows, newest first; the number of rows in all; and the cursor of the next page, None on the last page."""

    rows: Sequence[Row]
    total: int
    after: Cursor | None


async def get_user(session: AsyncSession, user_id: UUID, *, with_documents: bool = False) -> User | None:
    """One user, or None. `with_documents` loads `user.documents` with a second statement."""
    options = [selectinload(User.documents)] if with_documents else []  # type: ignore[arg-type]  # mypy sees its value
    return (await session.exec(select(User).where(col(User.id) == user_id).options(*options))).one_or_none()


async def get_document(session: AsyncSession, document_id: UUID) -> Document | None:
    """One document with its owner, or None. A second statement loads the owner."""
    found = select(Document).where(col(Document.id) == document_id).options(selectinload(Document.owner))  # type: ignore[arg-type]  # mypy sees its value
    return (await session.exec(found)).one_or_none()


async def list_users(
    session: AsyncSession, *, limit: int = 50, after: Cursor | None = None, is_active: bool | None = None
) -> Page[User]:
    """A page of users by keyset on (created_at, id). ValueError unless `limit` is 1 to 1000."""
    conditions = [] if is_active is None else [col(User.is_active) == is_active]
    return await _page(session, User, conditions, limit, after)


async def list_documents(
    session: AsyncSession, *, user_id: UUID | None = None, limit: int = 50, after: Cursor | None = None
) -> Page[Document]:
    """A page of all documents or of one user's, with their owners. The rest is as in `list_users`."""
    conditions = [] if user_id is None else [col(Document.user_id) == user_id]
    return await _page(session, Document, conditions, limit, after, selectinload(Document.owner))  # type: ignore[arg-type]  # mypy sees its value


async def _page(
    session: AsyncSession,
    table: type[Row],
    conditions: list[ColumnElement[bool]],
    limit: int,
    after: Cursor | None,
    *options: Any,
) -> Page[Row]:
    if not 1 <= limit <= MAX_PAGE:
        raise ValueError(f"limit must be 1 to {MAX_PAGE}")
    key = tuple_(col(table.created_at), col(table.id))
    total = (await session.exec(select(func.count()).select_from(table).where(*conditions))).one()
    page = select(table).where(*conditions).order_by(col(table.created_at).desc(), col(table.id).desc())
    if after is not None:
        page = page.where(key < after)
    found = (await session.exec(page.limit(limit + 1).options(*options))).all()
    rows = found[:limit]
    last = (rows[-1].created_at, rows[-1].id) if len(found) > limit else None
    return Page(rows, total, last)
