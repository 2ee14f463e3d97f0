"""What every table of the project shares: constraint names, and the one kind of time column."""

from datetime import datetime
from typing import Annotated, TypeVar

from sqlalchemy import DateTime, MetaData
from sqlmodel import Field, SQLModel

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Names for constraints and indexes, so that every migration can name what it drops."""

CONTROL_SCHEMA = "projector"
"""The Postgres schema of the service's own tables; applications never need it."""

ENTITY_SCHEMA = "public"
"""The Postgres schema of the tables that applications read. The models leave it out, so that an application may refer
to `users` as it likes; all SQL of the service and its migrations says it, whatever `search_path` is."""

metadata: MetaData = SQLModel.metadata
metadata.naming_convention = NAMING

UtcTime = Annotated[datetime, Field(sa_type=DateTime(timezone=True))]
"""A `timestamptz`: always with a zone, to the microsecond."""

Value = TypeVar("Value")


def not_null(value: Value | None) -> Value:
    """For a field that may be left out, but of a column that is NOT NULL; ValueError where null is given."""
    if value is None:
        raise ValueError("may be left out, but not be null")
    return value
