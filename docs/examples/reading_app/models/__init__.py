"""The application's own tables. They are in a schema of their own, beside `users` and `documents` of the service."""

from uuid import UUID

from sqlalchemy import String
from sqlmodel import Field, Relationship, SQLModel

SCHEMA = "reading_app"


class User(SQLModel, table=True):
    """What this application keeps about a user. `id` is the id of the service's user."""

    __tablename__ = "users"  # pyright: ignore[reportAssignmentType]  # SQLModel declares another type
    __table_args__ = {"schema": SCHEMA}

    id: UUID = Field(primary_key=True)
    theme: str = Field(default="light", sa_type=String)
    stars: list["Star"] = Relationship(back_populates="user")


class Star(SQLModel, table=True):
    """A document that a user has marked.

    `document_id` refers to the service's table by an index, without a constraint: docs/reading.md says why.
    """

    __tablename__ = "stars"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": SCHEMA}

    user_id: UUID = Field(foreign_key=f"{SCHEMA}.users.id", primary_key=True)
    document_id: UUID = Field(primary_key=True, index=True)
    user: User = Relationship(back_populates="stars")
