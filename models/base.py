"""What the tables share: schemas, constraint names, and the registry of those that applications read."""

from datetime import datetime
from typing import Annotated, TypeVar

from sqlalchemy import DateTime, MetaData
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Names for constraints and indexes, so that a migration can name what it drops."""

CONTROL_SCHEMA = "projector"
"""The Postgres schema of the service's own tables. Applications never need it."""

ENTITY_SCHEMA = "public"
"""The Postgres schema of the tables that applications read. The models do not name it, so an application may choose
its own `search_path`. The SQL of the service and of its migrations always names it."""

VERSION_TABLE = "alembic_version"
"""The table in CONTROL_SCHEMA where Alembic records the database's revision."""

metadata = MetaData(naming_convention=NAMING)
"""The tables that applications read. It is not `SQLModel.metadata`: an application may have tables and classes of the
same names there, and its `create_all` makes none of these."""


class Entity(SQLModel, registry=registry(metadata=metadata)):
    """The base of the tables that applications read. A name in a relationship is looked up among these only."""


UtcTime = Annotated[datetime, Field(sa_type=DateTime(timezone=True))]
"""A `timestamptz`: always with a zone, to the microsecond."""

Value = TypeVar("Value")


def not_null(value: Value | None) -> Value:
    """A validator for an optional field of a NOT NULL column: the field may be absent. ValueError if it is null."""
    if value is None:
        raise ValueError("may be left out, but not be null")
    return value
