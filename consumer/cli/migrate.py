"""`projector migrate`."""

import asyncio

import typer
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.admin.operations import audit as operations
from neon_projector.consumer.environment import load_database_settings
from neon_projector.consumer.logs.printable import printable
from neon_projector.consumer.logs.setup import set_up_logging
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.schema import migrate as migrations
from neon_projector.consumer.schema.foreign_keys import foreign_keys_of_others
from neon_projector.consumer.schema.migrate import SchemaState
from neon_projector.consumer.schema.obstacles import obstacles
from neon_projector.consumer.version import revision, version
from neon_projector.models.engine import create_direct_engine
from neon_projector.models.settings import DatabaseSettings
from neon_projector.projections.registry import REGISTRY


def migrate(*, check: bool, sql: bool) -> int:
    """Returns the exit status."""
    if sql:
        typer.echo(migrations.offline_sql())
        return 0
    set_up_logging("info", "text")
    return asyncio.run(_migrate(load_database_settings(), check))


async def _migrate(settings: DatabaseSettings, check: bool) -> int:
    engine = create_direct_engine(settings)
    try:
        with translated():
            found = await obstacles(engine)
            found.to_read()
            await _warn_of_foreign_keys(engine)
            state = await migrations.schema_state(engine)
            if state is SchemaState.CURRENT:
                found.to_go_on()
            if state in (SchemaState.CURRENT, SchemaState.NEWER):
                typer.echo(f"nothing to do: the schema is {state.value}")
                return 0
            (found.to_create if state is SchemaState.MISSING else found.to_change)()
            if check:
                typer.echo(f"the schema is {state.value}: run projector migrate")
                return 1
            await migrations.upgrade(engine, trace=_trace)
    finally:
        await engine.dispose()
    typer.echo(f"migrated to revision {migrations.newest_revision()}")
    return 0


async def _trace(connection: AsyncConnection, before: str | None, after: str | None) -> None:
    ours = {"version": version(), "revision": revision()}
    old = None if before is None else {"schema": before}
    await operations.record(connection, "migrate", before=old, after={"schema": after, **ours})


async def _warn_of_foreign_keys(engine: AsyncEngine) -> None:
    """They are the application's to decide: they change no exit status."""
    async with engine.connect() as connection:
        for one in await foreign_keys_of_others(connection, REGISTRY):
            typer.echo(printable(f"warning: {one}"), err=True)
