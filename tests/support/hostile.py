"""Defaults that somebody else has set: on the database, on the role in it, or in the URL."""

from urllib.parse import quote

import asyncpg

PLACES = ("database", "role", "url")
ELSEWHERE = """
    CREATE SCHEMA IF NOT EXISTS elsewhere;
    CREATE TABLE IF NOT EXISTS elsewhere.users (LIKE public.users INCLUDING ALL);
    CREATE TABLE IF NOT EXISTS elsewhere.documents (LIKE public.documents INCLUDING ALL)"""
"""Tables of our names that are not ours."""
WORST = {
    "default_transaction_isolation": "repeatable read",
    "default_transaction_read_only": "on",
    "search_path": "elsewhere",
    "lock_timeout": "1ms",
    "TimeZone": "Pacific/Kiritimati",
    "DateStyle": "German, DMY",
    "session_replication_role": "replica",
}
"""Several at once."""
CALM = {
    "search_path": "public",
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "lock_timeout": "0",
    "statement_timeout": "0",
    "idle_session_timeout": "0",
    "TimeZone": "UTC",
}
"""What a test's own connection says for itself."""
_LISTS = ("search_path", "DateStyle")


async def set_defaults(database: str, defaults: dict[str, str], place: str = "database") -> str:
    """Set `defaults` there, for connections that are made from now on; returns the URL to take."""
    if place == "url":
        options = " ".join(f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in defaults.items())
        return f"{database}{'&' if '?' in database else '?'}options={quote(options)}"
    connection = await calm(database)
    name = await connection.fetchval("SELECT quote_ident(current_database())")
    target = f"DATABASE {name}" if place == "database" else f"ROLE CURRENT_USER IN DATABASE {name}"
    for setting, value in defaults.items():
        quoted = await connection.fetchval("SELECT quote_literal($1::text)", value)
        said = (value or "''") if setting in _LISTS else quoted  # of a list one literal would be one element
        await connection.execute(f"ALTER {target} SET {setting} = {said}")
    await connection.close()
    return database


async def calm(database: str) -> asyncpg.Connection:
    """A connection on which no default has a say."""
    return await asyncpg.connect(database, server_settings=CALM)
