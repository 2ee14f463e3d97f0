"""Alembic's environment: online on the connection it is handed, offline as SQL for a person to run."""

from typing import Any, Literal

from alembic import context

from neon_projector.models import CONTROL_SCHEMA, ENTITY_SCHEMA
from neon_projector.models.base import VERSION_TABLE
from neon_projector.models.control import ALL_METADATA


def include_name(name: str | None, type_: str, _parents: Any) -> bool:
    """Compare only the schemas and tables of the project with the models."""
    if type_ == "schema":
        return name in (None, CONTROL_SCHEMA)
    return True


def configure(**target: Any) -> None:
    context.configure(
        target_metadata=ALL_METADATA,
        include_schemas=True,
        include_name=include_name,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=False,
        version_table=VERSION_TABLE,
        version_table_schema=CONTROL_SCHEMA,
        **target,
    )


WAIT_BRIEFLY = """DO $$ BEGIN
    IF current_setting('lock_timeout') = '0' THEN SET LOCAL lock_timeout = '2s'; END IF;
END $$"""
"""All others wait behind a lock that waits. A limit of the operator's own stays."""

paramstyle: Literal["named"] = "named"
if context.is_offline_mode():
    configure(dialect_name="postgresql", literal_binds=True, dialect_opts={"paramstyle": paramstyle})
else:
    configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    # revisions name the tables that applications read without a schema, as the models do
    context.execute(f"SET LOCAL search_path = {ENTITY_SCHEMA}")
    context.execute(WAIT_BRIEFLY)
    context.execute(f"CREATE SCHEMA IF NOT EXISTS {CONTROL_SCHEMA}")
    context.run_migrations()
