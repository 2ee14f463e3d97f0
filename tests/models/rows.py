"""Rows, and how they come into a database."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from neon_projector.models import Document, User
from neon_projector.models.session import transaction

Sessions = async_sessionmaker[AsyncSession]
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def a_user(number: int = 0, created_at: datetime = NOON, is_active: bool = True) -> User:
    email = f"{number}-{uuid4().hex}@example.com"
    return User(
        id=uuid4(), email=email, name="Ada", is_active=is_active, created_at=created_at, updated_at=NOON, version=1
    )


def a_document(owner: UUID, title: str = "Notes", created_at: datetime = NOON, content: str | None = None) -> Document:
    return Document(
        id=uuid4(), title=title, content=content, user_id=owner, created_at=created_at, updated_at=NOON, version=1
    )


async def stored(sessions: Sessions, *rows: User | Document) -> list[UUID]:
    async with transaction(sessions) as session:
        for row in rows:
            session.add(row)
            await session.flush()
        return [row.id for row in rows]
