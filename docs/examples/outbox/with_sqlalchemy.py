"""SQLAlchemy writes the outbox: each user that a flush inserts, changes or deletes becomes a row of it.

What bypasses the session's objects is not seen: `session.execute(update(User)…)`, ON DELETE CASCADE, plain SQL. Write
the outbox's rows for these yourself, in the same transaction.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, DateTime, Text, event, insert
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, Mapper, mapped_column, object_session


def now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True), str: Text, dict[str, Any]: JSONB}


class User(Base):
    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    email: Mapped[str]
    name: Mapped[str]
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # 1, 2, 3, …; of two changes at once the second is refused


class Outbox(Base):
    """The table of outbox.sql."""

    __tablename__ = "outbox"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    aggregatetype: Mapped[str]
    aggregateid: Mapped[UUID]
    type: Mapped[str]
    payload: Mapped[dict[str, Any]]


@event.listens_for(User, "after_insert")
def created(_mapper: Mapper[User], connection: Connection, user: User) -> None:
    write(connection, user, "user.created", whole(user))


@event.listens_for(User, "after_update")
def updated(_mapper: Mapper[User], connection: Connection, user: User) -> None:
    session = object_session(user)
    if session and session.is_modified(user):  # it is called also where nothing has changed
        write(connection, user, "user.updated", whole(user))


@event.listens_for(User, "after_delete")
def deleted(_mapper: Mapper[User], connection: Connection, user: User) -> None:
    write(connection, user, "user.deleted", {"id": str(user.id), "version": user.version + 1})


def whole(user: User) -> dict[str, Any]:
    """The data of a complete event. Name the fields: what the table has besides (a password) is nobody's business."""
    return {
        "id": str(user.id),
        "version": user.version,
        "email": user.email,
        "name": user.name,
        "is_active": user.is_active,
        "created_at": user.created_at.isoformat(),
        "updated_at": user.updated_at.isoformat(),
    }


def write(connection: Connection, user: User, kind: str, payload: dict[str, Any]) -> None:
    row = {"aggregatetype": "users", "aggregateid": user.id, "type": kind, "payload": payload}
    connection.execute(insert(Outbox).values(row))
