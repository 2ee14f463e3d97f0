"""Brings the schema to the newest revision, under a lock; tells how a schema stands to this service."""

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from importlib.resources import files
from io import StringIO
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.errors import FatalError, SchemaMissing, SchemaTooOld
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.schema.giving_way import giving_way
from neon_projector.models import CONTROL_SCHEMA
from neon_projector.models.base import VERSION_TABLE

log = logging.getLogger(__name__)

LOCK_KEY = 0x6E656F6E_70726F6A
"""Advisory lock of everyone who migrates: the letters of `neonproj`."""

Trace = Callable[[AsyncConnection, str | None, str | None], Awaitable[None]]
"""Is given the revision before and after."""

VERSION_OPTIONS = {"version_table": VERSION_TABLE, "version_table_schema": CONTROL_SCHEMA}
"""Tells Alembic's MigrationContext where the revision is recorded."""


class SchemaState(Enum):
    """How the database's schema stands to this service's own."""

    CURRENT = "current"
    OLDER = "older"
    NEWER = "newer"
    MISSING = "missing"


def alembic_config(**attributes: Any) -> Config:
    """Alembic's configuration, made in code: there is no ini file to find."""
    config = Config(output_buffer=attributes.pop("output", None))
    config.set_main_option("script_location", str(files("neon_projector.migrations")))
    config.attributes.update(attributes)
    return config


def newest_revision() -> str:
    """The revision this service was built for."""
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    if head is None:
        raise RuntimeError("the package holds no migrations")
    return head


async def upgrade(engine: AsyncEngine, revision: str = "head", trace: Trace | None = None) -> None:
    """Migrate up to `revision`, alone: others wait for the lock, and then find nothing to do. TablesBusy where another
    transaction does not end. `trace` is called in the same transaction if that has changed the schema."""
    await giving_way(engine, lambda: _upgrade(engine, revision, trace))


async def _upgrade(engine: AsyncEngine, revision: str, trace: Trace | None) -> None:
    with _alembic_translated():
        async with engine.connect() as connection, connection.begin():
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
            before = await connection.run_sync(_current_revision)
            await connection.run_sync(lambda sync: command.upgrade(alembic_config(connection=sync), revision))
            after = await connection.run_sync(_current_revision)
            if trace is not None and before != after:
                await trace(connection, before, after)


async def downgrade(engine: AsyncEngine, revision: str) -> None:
    """Migrate down to `revision`. `base`: nothing of ours is left, nor the schema, unless others use it too."""
    async with engine.connect() as connection, connection.begin():
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
        await connection.run_sync(lambda sync: command.downgrade(alembic_config(connection=sync), revision))
        if await connection.run_sync(_current_revision) is None:
            await connection.execute(text(f"DROP TABLE IF EXISTS {CONTROL_SCHEMA}.{VERSION_TABLE}"))
            with suppress(DBAPIError):
                async with connection.begin_nested():
                    await connection.execute(text(f"DROP SCHEMA {CONTROL_SCHEMA}"))


async def schema_state(engine: AsyncEngine) -> SchemaState:
    """Compare the database's revision with ours. One that we don't know is newer than ours."""
    with _alembic_translated():
        async with engine.connect() as connection:
            current = await connection.run_sync(_current_revision)
        script = ScriptDirectory.from_config(alembic_config())
        if current is None:
            return SchemaState.MISSING
        if current == script.get_current_head():
            return SchemaState.CURRENT
        known = {revision.revision for revision in script.walk_revisions()}
        return SchemaState.OLDER if current in known else SchemaState.NEWER


@contextmanager
def _alembic_translated() -> Iterator[None]:
    """Within, what Alembic can't make sense of (several heads, say), and what the database refuses of a step, is one
    line. The server's words name tables, columns and roles: no content."""
    try:
        yield
    except CommandError as error:
        raise FatalError(f"the migrations don't fit together: {' '.join(str(error).split())}") from None
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None) or ""
        if not state.startswith("42") or state == "42P01":
            raise
        raise FatalError(
            f"the database refuses a step (SQLSTATE {state}): {' '.join(str(error.orig).split())}"
        ) from None


async def require_schema(engine: AsyncEngine) -> None:
    """SchemaMissing or SchemaTooOld where the service can't work; a newer schema is only worth a warning."""
    with translated():
        state = await schema_state(engine)
    if state is SchemaState.MISSING:
        raise SchemaMissing
    if state is SchemaState.OLDER:
        raise SchemaTooOld
    if state is SchemaState.NEWER:
        log.warning("the database's schema is newer than this service's own")


def offline_sql() -> str:
    """The whole history as SQL, for a person to run."""
    output = StringIO()
    command.upgrade(alembic_config(output=output), "head", sql=True)
    return output.getvalue()


def _current_revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection, opts=VERSION_OPTIONS).get_current_revision()
