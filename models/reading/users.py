"""What is asked of users."""

from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import not_, select
from sqlalchemy.orm import selectinload
from sqlmodel import col

from neon_projector.models.address import read_address
from neon_projector.models.reading.checks import storable, zoned
from neon_projector.models.reading.documents import without_content
from neon_projector.models.reading.page import Page, page
from neon_projector.models.reading.steps import Plan
from neon_projector.models.user import User


def get_user(user_id: UUID, *, with_documents: bool = False, with_content: bool = False) -> Plan[User | None]:
    """One user, or None. `with_documents` loads all of `user.documents` with a second statement, without their
    `content` unless `with_content` asks for it."""
    return _one(col(User.id) == user_id, with_documents, with_content)


def get_user_by_email(email: str, *, with_documents: bool = False, with_content: bool = False) -> Plan[User | None]:
    """The user with this address, or None. It is compared as the service stores it: the domain in small letters, and
    the part before the `@` as it is. The rest is as in `get_user`. ValueError for a NUL character."""
    address = storable("email", email)
    with suppress(ValueError):  # no address that the service takes today: a row may have it from another time
        address = read_address(address)
    return _one(col(User.email) == address, with_documents, with_content)


def list_users(
    *,
    is_active: bool | None = None,
    created_since: datetime | None = None,
    limit: int = 50,
    after: str | None = None,
    with_total: bool = False,
) -> Plan[Page[User]]:
    """A page of users, newest first. `created_since` takes those created then or later.

    ValueError unless `limit` is 1 to 1000, `after` a cursor of users and `created_since` a time with a zone.
    """
    conditions: list[Any] = []
    if is_active is not None:
        active = col(User.is_active)
        conditions.append(active if is_active else not_(active))
    if created_since is not None:
        conditions.append(col(User.created_at) >= zoned("created_since", created_since))
    return page(User, conditions, [], limit, after, with_total)


def _one(condition: Any, with_documents: bool, with_content: bool) -> Plan[User | None]:
    found = select(User).where(condition)
    if with_documents:
        documents = selectinload(User.documents)  # type: ignore[arg-type]  # mypy sees its value
        found = found.options(documents if with_content else documents.options(*without_content()))
    return next((user for (user,) in (yield found) or ()), None)
