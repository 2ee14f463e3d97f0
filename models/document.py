"""Documents: the table that applications read, and the schemas to create, change and show one."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import field_validator
from sqlalchemy import BigInteger, DateTime, Index, String, Text
from sqlmodel import Field, Relationship, SQLModel

from neon_projector.models.base import Entity, not_null

if TYPE_CHECKING:
    from neon_projector.models.user import User

TITLE_LENGTH = 255


class DocumentBase(SQLModel):
    """The fields of a document that can be filled in."""

    title: str = Field(min_length=1, max_length=TITLE_LENGTH)
    content: str | None = None


class Document(DocumentBase, Entity, table=True):
    """One document that exists now. Deleting its owner deletes it. `version` as in `User`."""

    __tablename__ = "documents"
    __table_args__ = (
        Index(None, "created_at", "id"),
        Index(None, "user_id", "created_at", "id"),
        Index("ix_documents_title_prefix", "title", postgresql_ops={"title": "text_pattern_ops"}),
    )

    id: UUID = Field(primary_key=True)
    title: str = Field(sa_type=String(TITLE_LENGTH))
    content: str | None = Field(default=None, sa_type=Text)
    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE")
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))
    version: int = Field(sa_type=BigInteger)

    owner: "User" = Relationship(back_populates="documents", sa_relationship_kwargs={"lazy": "raise"})


class DocumentCreate(DocumentBase):
    """The fields that create a document."""

    user_id: UUID


class DocumentUpdate(SQLModel):
    """The fields of a document that can change. Absent fields stay as they are; `content` may be set to null."""

    title: str | None = Field(default=None, min_length=1, max_length=TITLE_LENGTH)
    content: str | None = None

    _not_null = field_validator("title")(not_null)


class DocumentRead(DocumentBase):
    """A document as applications show it. Its title is as in the row, also where it would not be accepted today."""

    title: str
    id: UUID
    user_id: UUID
    created_at: datetime
    updated_at: datetime
    version: int
