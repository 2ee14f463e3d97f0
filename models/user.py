"""Users: the table that applications read, and the schemas to create, change and show one."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import field_validator
from sqlalchemy import BigInteger, Boolean, DateTime, Index, String, text
from sqlalchemy import __version__ as sqlalchemy_version
from sqlmodel import Field, Relationship, SQLModel

from neon_projector.models.address import Address
from neon_projector.models.base import Entity, not_null

if TYPE_CHECKING:
    from neon_projector.models.document import Document

EMAIL_LENGTH = 320
NAME_LENGTH = 100


STORED = {"postgresql_with": {"fillfactor": 85}} if sqlalchemy_version >= "2.1" else {}
"""Room on each page for updates. SQLAlchemy 2.0 cannot say it; only `create_all` and the migrations do."""


class UserBase(SQLModel):
    """The fields of a user that can be filled in."""

    email: Address = Field(max_length=EMAIL_LENGTH)
    name: str = Field(min_length=1, max_length=NAME_LENGTH)
    is_active: bool = True


class User(UserBase, Entity, table=True):
    """One user that exists now. `version` is the version of the last event applied to the row."""

    __tablename__ = "users"
    __table_args__ = (
        Index(None, "created_at", "id"),
        Index("ix_users_inactive", "created_at", "id", postgresql_where=text("NOT is_active")),
        STORED,
    )

    id: UUID = Field(primary_key=True)
    email: Address = Field(sa_type=String(EMAIL_LENGTH), unique=True)
    name: str = Field(sa_type=String(NAME_LENGTH))
    is_active: bool = Field(
        default=True,
        sa_type=Boolean,
        sa_column_kwargs={"server_default": text("true"), "nullable": False},
    )
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))
    version: int = Field(sa_type=BigInteger)

    documents: list["Document"] = Relationship(
        back_populates="owner", sa_relationship_kwargs={"passive_deletes": True, "lazy": "raise"}
    )


class UserCreate(UserBase):
    """The fields that create a user."""


class UserUpdate(SQLModel):
    """The fields of a user that can change. Absent fields stay as they are; none may be null."""

    email: Address | None = Field(default=None, max_length=EMAIL_LENGTH)
    name: str | None = Field(default=None, min_length=1, max_length=NAME_LENGTH)
    is_active: bool | None = None

    _not_null = field_validator("email", "name", "is_active")(not_null)


class UserRead(UserBase):
    """A user as applications show it: as the row is, also where it would not be accepted today."""

    email: str
    name: str
    id: UUID
    created_at: datetime
    updated_at: datetime
    version: int
