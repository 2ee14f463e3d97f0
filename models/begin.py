"""What every transaction of the service says with its BEGIN, so that no default has a say in what it does.

A default may come from the server, the database, the role, the URL (`options=-c …`), or from whoever used the
connection before us behind a pooler. What is said here holds for one transaction and goes in the message of its BEGIN,
so it costs no round trip.
"""

from neon_projector.models.base import ENTITY_SCHEMA

LIMITLESS = "0"
FROZEN_LIMIT = "15min"
"""After this the server ends a transaction that sends nothing, where nothing shorter is said: a command may wait for a
person who reads page by page."""

SAID = {
    "lock_timeout": LIMITLESS,  # `statement_timeout` bounds it
    "idle_in_transaction_session_timeout": FROZEN_LIMIT,
    "TimeZone": "UTC",  # times in jsonb are written with the session's offset
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "plan_cache_mode": "auto",
    "exit_on_error": "off",  # else each conflict costs the connection
}
"""Settings that anybody may change, as the service needs them."""

WHERE_IT_IS_NOT = {
    "transaction_timeout": LIMITLESS,  # since PostgreSQL 17
    "session_replication_role": "origin",  # `replica` switches foreign keys and triggers off; to say so needs a right
}
"""Said only where something else is set: to say them always would fail, on older servers or without a right."""

SEARCH_PATH = f"""set_config('search_path', concat_ws(', ',
    CASE WHEN current_setting('search_path') LIKE '%pg_catalog%' THEN 'pg_catalog' END,
    nullif(current_setting('search_path'), ''), '{ENTITY_SCHEMA}'), true)"""
"""All our SQL names its schemas. This is for triggers of an application: they find what they found before, and under an
emptied path what is in `public`. What Postgres brings itself is never found anywhere else."""


def preamble(statement_limit: str, *, lock_limit: bool = True) -> str:
    """One SELECT that says all of this. `statement_limit` as in `300000ms`; without `lock_limit` the default of
    `lock_timeout` holds."""
    said = SAID | {"statement_timeout": statement_limit}
    if not lock_limit:
        del said["lock_timeout"]
    always = [f"set_config('{name}', '{value}', true)" for name, value in said.items()]
    seldom = [
        f"CASE WHEN current_setting('{name}', true) <> '{value}' THEN set_config('{name}', '{value}', true) END"
        for name, value in WHERE_IT_IS_NOT.items()
    ]
    return f"SELECT {', '.join([SEARCH_PATH, *always, *seldom])}"
