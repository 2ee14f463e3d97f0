"""For the `env.py` of an application's Alembic, in a database that it shares with the service: `--autogenerate` neither
drops the service's tables nor makes them.

Give both functions to `context.configure`, under their own names. They call nothing of Alembic's.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.schema import SchemaItem, Table

from neon_projector.models.base import CONTROL_SCHEMA, ENTITY_SCHEMA, metadata


def include_name(name: str | None, type_: str, _parent_names: Mapping[Any, str | None]) -> bool:
    """False for the schema of the service's own tables. Alembic asks about schemas where `include_schemas` is set."""
    return not (type_ == "schema" and name == CONTROL_SCHEMA)


def include_object(
    object_: SchemaItem, _name: str | None, type_: str, reflected: bool, compare_to: SchemaItem | None
) -> bool:
    """False for the service's tables: those in the database that the application does not declare, and those of the
    models, should they be among what the application declares. A table of the application's own is True, whatever its
    name and its schema."""
    if type_ != "table" or not isinstance(object_, Table):
        return True
    if not reflected:
        return not _is_ours(object_)
    return compare_to is not None or (object_.schema or ENTITY_SCHEMA, object_.name) not in _names()


def _is_ours(table: Table) -> bool:
    return table.metadata is metadata or table.schema == CONTROL_SCHEMA


def _names() -> set[tuple[str, str]]:
    return {(table.schema or ENTITY_SCHEMA, table.name) for table in metadata.tables.values()}
