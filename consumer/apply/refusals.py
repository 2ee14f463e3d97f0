"""What the database answers to records that are applied: a refusal of an application's own objects, or something else.

Triggers, policies and constraints of an application belong to its schema. What they refuse, no waiting mends: it is
found by splitting the batch, and becomes a dead letter that names who refused it. A name is taken from the catalog
only, never from the error's own text: `RAISE … USING MESSAGE = …, CONSTRAINT = …` may hold what an event says.
"""

import re
from typing import Any

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.apply.lock import Mode
from neon_projector.consumer.errors import BadData, Moved, NeedsMode, ProjectorError
from neon_projector.consumer.recovery.constraints import Constraints
from neon_projector.consumer.recovery.table import CLASSES, SCHEMA, known
from neon_projector.projections.contract.projection import Registry

FOREIGN_KEY = "23503"
"""foreign_key_violation."""
UNIQUE = "23505"
"""unique_violation."""
FORBIDDEN = "42501"
"""insufficient_privilege; also what a row-level security policy says of one row."""

LANGUAGES = ("pl_exec.c", "plpy_", "plperl.c", "pltcl.c")
"""Source files of the procedural languages: what is raised there, an application's function has raised."""
IN_A_FUNCTION = "PL/"
"""Stands in the context of what happens in a procedural language's function, in all languages that a server speaks."""
PASSING = ("08", "40", "53", "57", "58", "XX", "25006", "55P03")
"""SQLSTATEs and classes that tell of the server and not of the record, wherever they happen."""

_TRIGGERS = text("""
    SELECT CAST(t.tgname AS text) AS name, p.proname || '(' AS function, n.nspname || '.' || c.relname AS table
    FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
    JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' ORDER BY 3, 1""")
_CONSTRAINTS = text("""
    SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conname = :name)
        OR EXISTS (SELECT FROM pg_catalog.pg_class WHERE relname = :name AND relkind IN ('i', 'I'))""")


class Refusals:
    """Reads errors of the driver while records are applied."""

    def __init__(self, registry: Registry) -> None:
        self._constraints = Constraints(registry)
        self._tables = [projection.table_name for projection in registry]

    async def read(self, connection: AsyncConnection, error: DBAPIError, mode: Mode) -> ProjectorError | None:
        """Our error for `error`; None where it has nothing to do with the records. `connection` can be asked."""
        driver = error.orig.__cause__ if error.orig is not None else None
        if not isinstance(driver, asyncpg.PostgresError) or isinstance(driver, asyncpg.InvalidCachedStatementError):
            return None
        state = driver.sqlstate or ""
        if raised(driver):  # also where its state has made us drop the connection
            said = await self._named(connection, driver, mode)
            return Moved(said) if state.startswith("40") else BadData(said)
        if error.connection_invalidated or isinstance(error, InterfaceError):
            return None
        if state in (FOREIGN_KEY, UNIQUE):
            return await self._violated(connection, driver, mode)
        if _is_a_refusal(driver, state) or (in_a_function(driver) and not state.startswith(PASSING)):
            return BadData(await self._named(connection, driver, mode))
        return SCHEMA.error(f"SQLSTATE {state}") if state.startswith(SCHEMA.states) and state != FORBIDDEN else None

    async def silent(self, connection: AsyncConnection, table: str) -> str:
        """What is told of a row that was not written although there was no error."""
        names = ", ".join(row.name for row in await connection.execute(_TRIGGERS) if row.table == table)
        by = f"triggers {names}" if names else "no trigger is there: a rule or a policy of row-level security?"
        return f"no error, but the row was not written as it should be; table {table}, {by}"

    async def _violated(self, connection: AsyncConnection, driver: Any, mode: Mode) -> ProjectorError:
        if driver.sqlstate == FOREIGN_KEY and mode <= Mode.SHARED_LOOKING:
            return NeedsMode(Mode.EXCLUSIVE)
        if driver.sqlstate == UNIQUE and mode < Mode.SHARED_LOOKING:
            return NeedsMode(Mode.SHARED_LOOKING)
        place = (driver.schema_name, driver.table_name, driver.constraint_name)
        ours = None in place or await self._constraints.are_ours(connection, *place)
        said = await self._named(connection, driver, mode)
        return Moved(said) if ours else BadData(said)

    async def _named(self, connection: AsyncConnection, driver: Any, mode: Mode) -> str:
        """SQLSTATE, constraint or trigger, and table; while the batch is being split it is not asked who refuses."""
        said = [f"SQLSTATE {driver.sqlstate}"]
        if mode < Mode.EXCLUSIVE_APART:
            return said[0]
        context = driver.context or ""
        triggers = [row for row in await connection.execute(_TRIGGERS) if row.function in context]
        if triggers:
            said += [f"trigger {row.name} of table {row.table}" for row in triggers]
        elif not raised(driver):
            if driver.constraint_name and await self._is_there(connection, driver.constraint_name):
                said.append(f"constraint {driver.constraint_name}")
            if driver.sqlstate == FORBIDDEN:
                said.append("row-level security")
            said += [f"table {table}" for table in self._table_of(driver)]
            said += [f"column {driver.column_name}"] if driver.column_name else []
        return ", ".join(said)

    async def _is_there(self, connection: AsyncConnection, name: str) -> bool:
        return bool((await connection.execute(_CONSTRAINTS, {"name": name})).scalar_one())

    def _table_of(self, driver: Any) -> list[str]:
        """Where the error has no field for it (row-level security), the table of ours whose name is in its text."""
        if driver.table_name:
            return [f"{driver.schema_name}.{driver.table_name}"]
        said = set(re.findall(r"\w+", str(driver)))
        return [table for table in self._tables if table.rpartition(".")[2] in said]


def raised(driver: Any) -> bool:
    """Whether a function in a procedural language has raised it by itself, with whatever SQLSTATE."""
    return (driver.server_source_filename or "").startswith(LANGUAGES)


def in_a_function(driver: Any) -> bool:
    """Whether it happened within a function in a procedural language."""
    return IN_A_FUNCTION in (getattr(driver, "context", None) or "")


def _is_a_refusal(driver: Any, state: str) -> bool:
    if state == FORBIDDEN:
        return bool(driver.server_source_function == "ExecWithCheckOptions")
    row = known(state, str(driver))
    return row.kind is BadData if row is not None else state[:2] not in CLASSES
