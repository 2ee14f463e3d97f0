"""What the service's own tables share: their registry, and two kinds of columns."""

from typing import Any

from sqlalchemy import BigInteger, DateTime, MetaData, func, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from neon_projector.models.base import CONTROL_SCHEMA, NAMING

metadata = MetaData(schema=CONTROL_SCHEMA, naming_convention=NAMING)
"""The service's own tables, in the schema `projector`."""


class Control(SQLModel, registry=registry(metadata=metadata)):
    """The base of the service's own tables."""


def count() -> Any:
    """A number that begins at 0."""
    return Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})


def now() -> Any:
    """A time; the default is when the transaction began."""
    return Field(
        default=None,
        sa_type=DateTime(timezone=True),
        sa_column_kwargs={"server_default": func.now(), "nullable": False},
    )
