"""The settings that every transaction of the service sends with its BEGIN, so that no default can change its meaning.

A default may come from the server, the database, the role, the URL (`options=-c …`), or from an earlier user of the
connection behind a pooler. These settings hold for one transaction. They travel in the same message as BEGIN and cost
no round trip.
"""

from neon_projector.models.base import ENTITY_SCHEMA

LIMITLESS = "0"
FROZEN_LIMIT = "15min"
"""The server ends a transaction that sends nothing for this long. It is long because a command may wait for a person
who reads page by page."""

SAID = {
    "lock_timeout": LIMITLESS,  # `statement_timeout` bounds it
    "idle_in_transaction_session_timeout": FROZEN_LIMIT,
    "TimeZone": "UTC",  # times in jsonb are written with the session's offset
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "plan_cache_mode": "auto",
    "exit_on_error": "off",  # else each conflict costs the connection
}
"""Settings that every role may change, with the values that the service needs."""

WHERE_IT_IS_NOT = {
    "transaction_timeout": LIMITLESS,  # since PostgreSQL 17
    "session_replication_role": "origin",  # `replica` switches foreign keys off; setting it needs a privilege
}
"""Sent only if the current value differs: setting them always would fail on older servers or without the privilege."""

SEARCH_PATH = f"""set_config('search_path', concat_ws(', ',
    CASE WHEN current_setting('search_path') LIKE '%pg_catalog%' THEN 'pg_catalog' END,
    nullif(current_setting('search_path'), ''), '{ENTITY_SCHEMA}'), true)"""
"""The service's SQL names its schemas. The path is for an application's triggers: it keeps their path, adds `public`
at its end (the path may be empty), and lets no schema come before `pg_catalog`."""


def preamble(statement_limit: str, *, lock_limit: bool = True) -> str:
    """One SELECT that sets all of this. `statement_limit` is as in `300000ms`. Without `lock_limit` the default of
    `lock_timeout` stays."""
    said = SAID | {"statement_timeout": statement_limit}
    if not lock_limit:
        del said["lock_timeout"]
    always = [f"set_config('{name}', '{value}', true)" for name, value in said.items()]
    seldom = [
        f"CASE WHEN current_setting('{name}', true) <> '{value}' THEN set_config('{name}', '{value}', true) END"
        for name, value in WHERE_IT_IS_NOT.items()
    ]
    return f"SELECT {', '.join([SEARCH_PATH, *always, *seldom])}"


def readers_preamble(statement_limit: str) -> str:
    """As `preamble`, for an application: it bounds a statement, tells times in UTC, and leaves the rest as it is."""
    return f"SELECT set_config('statement_timeout', '{statement_limit}', true), set_config('TimeZone', 'UTC', true)"
