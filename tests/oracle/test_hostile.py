"""Defaults and schemas that somebody else has made: the tables are the definition all the same.

A default is set where anybody may set it: on the database, on the role, or in the URL. A schema is what an application
has done to our tables. Each row has the whole oracle over it, with a few histories.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import asyncpg
import pytest

from projections.registry import REGISTRY
from tests.oracle.test_oracle import one_history

HISTORIES = int(os.environ.get("HOSTILE_HISTORIES", "2"))
"""For each row."""
CALM = {
    "search_path": "public",
    "TimeZone": "UTC",
}
"""What the looking connection says for itself."""

ELSEWHERE = """
    CREATE SCHEMA elsewhere;
    CREATE TABLE elsewhere.users (LIKE public.users INCLUDING ALL);
    CREATE TABLE elsewhere.documents (LIKE public.documents INCLUDING ALL)"""

DEFAULTS = {
    "an emptied search_path": {"search_path": ""},
    "a foreign search_path with tables of the same names": {"search_path": "elsewhere"},
    "a time zone far away": {"TimeZone": "Pacific/Kiritimati"},
    "a time zone with an odd past": {"TimeZone": "Europe/Amsterdam"},
    "times and intervals written otherwise": {"DateStyle": "German, DMY", "IntervalStyle": "sql_standard"},
    "strings and bytes written otherwise": {"standard_conforming_strings": "off", "bytea_output": "escape"},
    "a planner that is sent astray": {
        "enable_indexscan": "off", "enable_bitmapscan": "off", "enable_nestloop": "off", "enable_hashjoin": "off",
        "plan_cache_mode": "force_generic_plan",
    },
}  # fmt: skip

SCHEMAS = {
    "an application's own column": "ALTER TABLE users ADD COLUMN note text NOT NULL DEFAULT 'none'",
}

PLACES = ("database", "role", "url")


async def hostile(database: str, place: str, defaults: dict[str, str]) -> str:
    """Set `defaults` there; returns the URL for the service."""
    if place == "url":
        options = " ".join(f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in defaults.items())
        return f"{database}{'&' if '?' in database else '?'}options={quote(options)}"
    connection = await asyncpg.connect(database)
    name = await connection.fetchval("SELECT quote_ident(current_database())")
    target = f"DATABASE {name}" if place == "database" else f"ROLE CURRENT_USER IN DATABASE {name}"
    for setting, value in defaults.items():
        said = await connection.fetchval("SELECT quote_literal($1::text)", value)
        if setting in ("search_path", "DateStyle"):  # lists: one literal would be one element
            said = value or "''"
        await connection.execute(f"ALTER {target} SET {setting} = {said}")
    await connection.close()
    return database


@asynccontextmanager
async def looking(database: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection on which no default has a say."""
    connection = await asyncpg.connect(database, server_settings=CALM)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("row", DEFAULTS)
async def test_no_default_has_a_say_in_what_the_tables_are(database: str, row: str, place: str) -> None:
    async with looking(database) as connection:
        await connection.execute(ELSEWHERE)
        url = await hostile(database, place, DEFAULTS[row])
        async with asyncio.timeout(60):
            for seed in range(HISTORIES):
                await one_history(connection, url, "any order", REGISTRY, f"{row} {seed}")
        for table in ("users", "documents"):
            assert await connection.fetchval(f"SELECT count(*) FROM elsewhere.{table}") == 0


@pytest.mark.parametrize("row", SCHEMAS)
async def test_no_schema_that_accepts_the_events_has_a_say_in_what_the_tables_are(database: str, row: str) -> None:
    async with looking(database) as connection:
        await connection.execute(SCHEMAS[row])
        async with asyncio.timeout(60):
            for seed in range(HISTORIES):
                await one_history(connection, database, "any order", REGISTRY, f"{row} {seed}")
