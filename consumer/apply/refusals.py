"""Tells whether an error of the database is a refusal by an application's own objects, or something else.

An application may have triggers, policies and constraints of its own. Retrying cannot fix what they refuse: the record
is found by splitting the batch, and becomes a dead letter that names what refused it. The name is taken from the
catalog only, never from the error's own text: `RAISE … USING MESSAGE = …, CONSTRAINT = …` may quote an event.
"""

import re
from typing import Any

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.apply.driver_errors import (
    PASSING,
    in_a_function,
    in_the_change_log,
    is_a_refusal,
    is_by_policy,
    raised,
)
from neon_projector.consumer.apply.mode import Mode
from neon_projector.consumer.errors import BadData, FatalError, Moved, NeedsMode, ProjectorError
from neon_projector.consumer.recovery.constraints import Constraints
from neon_projector.consumer.recovery.table import FORBIDDEN, SCHEMA
from neon_projector.models import CONTROL_SCHEMA
from neon_projector.models.change_log import NOTE_CHANGES
from neon_projector.projections.contract.outcome import Reason
from neon_projector.projections.contract.projection import Registry

FOREIGN_KEY = "23503"
"""foreign_key_violation."""
REFERENCED = (FOREIGN_KEY, "23001")
"""A row is not deleted, as another refers to it. ON DELETE RESTRICT has its own, restrict_violation, since PG 18."""
UNIQUE = "23505"
"""unique_violation."""
KEEPS_THE_ROW = (
    "a foreign key of an application keeps the row: drop the constraint, then projector dead-letters retry --reason "
    f"{Reason.REFUSED_BY_DATABASE}"
)
"""docs/reading.md has how to refer to rows without one."""

_TRIGGERS = text(f"""
    SELECT CAST(t.tgname AS text) AS name, p.proname || '(' AS function, n.nspname || '.' || c.relname AS table
    FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
    JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal AND t.tgenabled <> 'D'
        AND (p.pronamespace, p.proname) <> (CAST('{CONTROL_SCHEMA}' AS regnamespace), '{NOTE_CHANGES}')
    ORDER BY 3, 1""")
_FUNCTIONS = text("""
    SELECT CAST(p.proname AS text) AS name, n.nspname || '.' || p.proname AS qualified
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE p.prokind = 'f' AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 2""")
_MISSING_RIGHTS = text("""
    SELECT n.nspname || '.' || c.relname AS table
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE (n.nspname || '.' || c.relname = ANY(CAST(:tables AS text[]))
            OR n.nspname = :schema AND c.relkind = 'r' AND c.relname <> 'alembic_version'
                AND c.relname !~ '^operation_[0-9]')
        AND NOT (has_schema_privilege(n.oid, 'USAGE') AND (SELECT bool_and(has_table_privilege(c.oid, own))
            FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) own))
    ORDER BY 1""")
_CONSTRAINTS = text("""
    SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conname = :name)
        OR EXISTS (SELECT FROM pg_catalog.pg_class WHERE relname = :name AND relkind IN ('i', 'I'))""")


class Refusals:
    """Reads the driver's errors while records are applied."""

    def __init__(self, registry: Registry) -> None:
        self._constraints = Constraints(registry)
        self._tables = [projection.table_name for projection in registry]

    async def read(self, connection: AsyncConnection, error: DBAPIError, mode: Mode) -> ProjectorError | None:
        """Our error for `error`; None if it has nothing to do with the records. Asks the catalog on `connection`."""
        driver = error.orig.__cause__ if error.orig is not None else None
        if not isinstance(driver, asyncpg.PostgresError) or isinstance(driver, asyncpg.InvalidCachedStatementError):
            return None
        if in_the_change_log(driver):
            return _of_the_change_log(driver.sqlstate or "")
        return await self._told(connection, error, driver, mode)

    async def _told(
        self, connection: AsyncConnection, error: DBAPIError, driver: Any, mode: Mode
    ) -> ProjectorError | None:
        state = driver.sqlstate or ""
        if raised(driver):  # also if its SQLSTATE has made us drop the connection
            said = await self._named(connection, driver, mode)
            return Moved(said) if state.startswith("40") else BadData(said)
        if error.connection_invalidated or isinstance(error, InterfaceError):
            return None
        if state in (FOREIGN_KEY, UNIQUE):
            return await self._violated(connection, driver, mode)
        if is_a_refusal(driver, state) or (
            not state.startswith(PASSING) and (in_a_function(driver) or await self._functions(connection, driver))
        ):
            return BadData(await self._named(connection, driver, mode))
        return await self._of_our_own(connection, driver, mode)

    async def _of_our_own(self, connection: AsyncConnection, driver: Any, mode: Mode) -> ProjectorError | None:
        """The error where the tables themselves are wrong (rights, columns, types); None where they are not."""
        state = driver.sqlstate or ""
        if state == FORBIDDEN:
            return await self._forbidden(connection, driver, mode)
        if state.startswith(SCHEMA.states):
            return SCHEMA.error(", ".join([f"SQLSTATE {state}", *(f"table {t}" for t in self._table_of(driver))]))
        return None

    async def _forbidden(self, connection: AsyncConnection, driver: Any, mode: Mode) -> ProjectorError:
        """FatalError if rights on our own tables are missing. Otherwise an application's objects refuse: a trigger has
        changed the role, or a column's default may not be computed."""
        values = {"tables": self._tables, "schema": CONTROL_SCHEMA}
        if missing := [row.table for row in await connection.execute(_MISSING_RIGHTS, values)]:
            return FatalError(f"the database user lacks rights on {', '.join(missing)}")
        return BadData(await self._named(connection, driver, mode))

    async def silent(self, connection: AsyncConnection, table: str) -> str:
        """What to say of a row that was not written although there was no error."""
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
        """SQLSTATE, constraint or trigger, and table. While the batch is still being split, only the SQLSTATE."""
        said = [f"SQLSTATE {driver.sqlstate}"]
        if mode < Mode.EXCLUSIVE_APART:
            return said[0]
        context = driver.context or ""
        triggers = [row for row in await connection.execute(_TRIGGERS) if row.function in context]
        if triggers:
            said += [f"trigger {row.name} of table {row.table}" for row in triggers]
        elif functions := await self._functions(connection, driver):
            said += [f"function {name}" for name in functions]
        elif not raised(driver):
            if driver.constraint_name and await self._is_there(connection, driver.constraint_name):
                said.append(f"constraint {driver.constraint_name}")
            if driver.sqlstate == FORBIDDEN and is_by_policy(driver):
                said.append("row-level security")
            said += [f"table {table}" for table in self._table_of(driver)]
            said += [f"column {driver.column_name}"] if driver.column_name else []
            said += [KEEPS_THE_ROW] if self._refers_to_ours(driver) else []
        return ", ".join(said)

    def _refers_to_ours(self, driver: Any) -> bool:
        """Whether a foreign key from another table keeps a row of ours. The error names the table that refers."""
        return driver.sqlstate in REFERENCED and f"{driver.schema_name}.{driver.table_name}" not in self._tables

    async def _functions(self, connection: AsyncConnection, driver: Any) -> list[str]:
        """The functions, of any language, in which the error happened. The context names them as `ok(text)`, or SQL
        functions as `"ok"` in the quotes of the server's language. A foreign key's own query is no function."""
        context = "\n".join(line for line in (driver.context or "").splitlines() if ' ONLY "' not in line)
        if not context:
            return []
        found = await connection.execute(_FUNCTIONS)
        return [row.qualified for row in found if re.search(rf'\b{re.escape(row.name)}(\(|\s?["»«“”])', context)]

    async def _is_there(self, connection: AsyncConnection, name: str) -> bool:
        return bool((await connection.execute(_CONSTRAINTS, {"name": name})).scalar_one())

    def _table_of(self, driver: Any) -> list[str]:
        """The table that the error names. If it has no field for it (row-level security), the table of ours whose name
        is in its text."""
        if driver.table_name:
            return [f"{driver.schema_name}.{driver.table_name}"]
        said = set(re.findall(r"\w+", str(driver)))
        own = re.findall(rf'"({CONTROL_SCHEMA}\.\w+)"', str(driver))
        return [*own, *(table for table in self._tables if table.rpartition(".")[2] in said)]


def _of_the_change_log(state: str) -> ProjectorError | None:
    """It is our own, whoever writes: no record is to blame."""
    wrong = state.startswith(SCHEMA.states)
    return SCHEMA.error(f"SQLSTATE {state}, the change log: see projector changes status") if wrong else None
