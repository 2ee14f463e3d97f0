"""Comments: the table that applications read."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, String
from sqlmodel import Field

from neon_projector.models.base import Entity

BODY_LENGTH = 2_000


class Comment(Entity, table=True):
    """One comment that exists now. Deleting its document or its author deletes it. `version` as in `User`."""

    __tablename__ = "comments"

    id: UUID = Field(primary_key=True)
    body: str = Field(sa_type=String(BODY_LENGTH))
    document_id: UUID = Field(foreign_key="documents.id", ondelete="CASCADE", index=True)
    author_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))
    version: int = Field(sa_type=BigInteger)
