"""Alembic's environment: the application's own tables, in a database that it shares with the service."""

import asyncio

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.schema import CreateSchema
from sqlmodel import SQLModel

from models import SCHEMA
from neon_projector.models.alembic import include_name, include_object
from neon_projector.models.engine import create_direct_engine
from neon_projector.models.settings import DatabaseSettings


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        include_schemas=True,
        include_name=include_name,
        include_object=include_object,
        version_table_schema=SCHEMA,
    )
    with context.begin_transaction():
        connection.execute(CreateSchema(SCHEMA, if_not_exists=True))
        context.run_migrations()


async def main() -> None:
    engine = create_direct_engine(DatabaseSettings())
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


asyncio.run(main())
