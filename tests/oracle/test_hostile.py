"""Defaults and schemas that somebody else has made: the tables are the definition all the same.

Each row has the whole oracle over it, with a few histories. A default is set where anybody may set it; a schema is what
an application has done to our tables.
"""

import asyncio
import os
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import event

from neon_projector.projections.registry import REGISTRY
from tests.oracle.test_oracle import one_history
from tests.races.stepping import Writer
from tests.service.test_refusals import as_role
from tests.support.factories import a_user_event
from tests.support.hostile import ELSEWHERE, PLACES, WORST, calm, set_defaults

HISTORIES = int(os.environ.get("HOSTILE_HISTORIES", "2"))
"""For each row."""

DEFAULTS = {
    "repeatable read": {"default_transaction_isolation": "repeatable read"},
    "serializable, deferrable": {
        "default_transaction_isolation": "serializable", "default_transaction_deferrable": "on",
    },
    "read only": {"default_transaction_read_only": "on"},
    "an emptied search_path": {"search_path": ""},
    "a foreign search_path with tables of the same names": {"search_path": "elsewhere"},
    "a foreign search_path before Postgres's own": {"search_path": "elsewhere, pg_catalog"},
    "a time zone far away": {"TimeZone": "Pacific/Kiritimati"},
    "a time zone with an odd past": {"TimeZone": "Europe/Amsterdam"},
    "times and intervals written otherwise": {"DateStyle": "German, DMY", "IntervalStyle": "sql_standard"},
    "strings, bytes and NULLs written otherwise": {
        "standard_conforming_strings": "off", "bytea_output": "escape", "array_nulls": "off",
        "transform_null_equals": "on",
    },
    "a planner that is sent astray": {
        "enable_indexscan": "off", "enable_bitmapscan": "off", "enable_nestloop": "off", "enable_hashjoin": "off",
        "plan_cache_mode": "force_generic_plan", "join_collapse_limit": "1",
    },
    "no foreign keys and no triggers": {"session_replication_role": "replica"},
    "sessions that end soon, or with the first error": {"idle_session_timeout": "20ms", "exit_on_error": "on"},
    "a server that talks much": {"client_min_messages": "debug1"},
    "commits that are not waited for": {"synchronous_commit": "off"},
    "row security that complains": {"row_security": "off"},
    "all at once": WORST,
}  # fmt: skip

TRIGGER = """
    CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NEW; END $$;
    CREATE TRIGGER own {when} ON {table} FOR EACH ROW EXECUTE FUNCTION own()"""
READER = "projector_reader_of_policies"

SCHEMAS = {
    "an application's own column": "ALTER TABLE users ADD COLUMN note text NOT NULL DEFAULT 'none'",
    "generated columns": (
        "ALTER TABLE documents ADD COLUMN words integer GENERATED ALWAYS AS (length(title)) STORED;"
        "ALTER TABLE users ADD COLUMN domain text GENERATED ALWAYS AS (split_part(email, '@', 2)) STORED"
    ),
    "columns in another order": (
        "ALTER TABLE documents DROP COLUMN title; ALTER TABLE documents ADD COLUMN title varchar(255) NOT NULL"
    ),
    "other unique indexes": (
        "CREATE UNIQUE INDEX again ON users (email) INCLUDE (name); CREATE UNIQUE INDEX with_id ON users (id, email);"
        "ALTER INDEX uq_users_email RENAME TO one_address_each"
    ),
    "foreign keys into our tables": (
        "CREATE TABLE orders (u uuid REFERENCES users ON DELETE CASCADE, d uuid REFERENCES documents);"
        + TRIGGER.format(body="INSERT INTO orders VALUES (NEW.id)", when="AFTER INSERT", table="users")
    ),
    "a constraint of ours that is checked at COMMIT": (
        "ALTER TABLE documents ALTER CONSTRAINT fk_documents_user_id_users DEFERRABLE INITIALLY DEFERRED"
    ),
    "a trigger that writes a journal": (
        "CREATE TABLE journal (id uuid, what text);"
        + TRIGGER.format(
            body="INSERT INTO journal VALUES (NEW.id, TG_OP)", when="AFTER INSERT OR UPDATE", table="documents"
        )
    ),
    "a trigger that sets the time": TRIGGER.format(
        body="NEW.updated_at = clock_timestamp()", when="BEFORE INSERT OR UPDATE", table="documents"
    ),
    "a trigger that lowers addresses": TRIGGER.format(
        body="NEW.email = lower(NEW.email)", when="BEFORE INSERT OR UPDATE", table="users"
    ),
    "addresses as citext": "CREATE EXTENSION citext; ALTER TABLE users ALTER email TYPE citext",
    "a table that is a partition": (
        "CREATE TABLE all_documents (LIKE documents) PARTITION BY LIST (title);"
        "ALTER TABLE all_documents ATTACH PARTITION documents DEFAULT"
    ),
    "row-level security": (
        f"DO $$ BEGIN CREATE ROLE {READER} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
        f"GRANT ALL ON ALL TABLES IN SCHEMA public, projector TO {READER}; GRANT USAGE ON SCHEMA projector TO {READER};"
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA projector TO {READER};"
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY; CREATE POLICY everything ON users USING (true);"
        "ALTER TABLE documents ENABLE ROW LEVEL SECURITY; CREATE POLICY everything ON documents USING (true)"
    ),
}

LIMITS = {
    "lock_timeout": "10ms",
    "statement_timeout": "250ms",
    "transaction_timeout": "250ms",
    "idle_in_transaction_session_timeout": "250ms",
}
WAITED = 0.6
"""Seconds that a transaction waits under these limits: for longer than any of them."""


@pytest.fixture
async def looking(database: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection on which no default has a say; tables of the same names are elsewhere."""
    connection = await calm(database)
    await connection.execute(ELSEWHERE)
    yield connection
    await connection.close()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("row", DEFAULTS)
async def test_no_default_has_a_say_in_what_the_tables_are(
    database: str, looking: asyncpg.Connection, row: str, place: str
) -> None:
    url = await set_defaults(database, DEFAULTS[row], place)
    async with asyncio.timeout(60):
        for seed in range(HISTORIES):
            await one_history(looking, url, "any order", REGISTRY, f"{row} {seed}")
    for table in ("users", "documents"):
        assert await looking.fetchval(f"SELECT count(*) FROM elsewhere.{table}") == 0


@pytest.mark.parametrize("row", SCHEMAS)
async def test_no_schema_that_accepts_the_events_has_a_say_in_what_the_tables_are(
    database: str, looking: asyncpg.Connection, row: str
) -> None:
    await looking.execute(SCHEMAS[row])
    url = as_role(database, READER) if row == "row-level security" else database
    async with asyncio.timeout(60):
        for seed in range(HISTORIES):
            await one_history(looking, url, "any order", REGISTRY, f"{row} {seed}")


@pytest.mark.parametrize("place", PLACES)
async def test_no_default_limits_how_long_a_transaction_may_wait(
    database: str, looking: asyncpg.Connection, place: str
) -> None:
    known = {row[0] for row in await looking.fetch("SELECT name FROM pg_settings")}  # transaction_timeout: since 17
    url = await set_defaults(database, {name: value for name, value in LIMITS.items() if name in known}, place)
    writer = Writer(url, 0)
    begun: list[str] = []
    batch = await writer.batch([a_user_event()])
    event.listen(writer.engine.sync_engine, "begin", lambda _: begun.append("begin"))
    async with asyncio.timeout(30):
        async with looking.transaction():
            await looking.execute("LOCK TABLE users")
            work = asyncio.create_task(writer.write(batch))
            waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND clock_timestamp() - "
            while not await looking.fetchval(f"{waits} query_start > make_interval(secs => {WAITED})"):
                await asyncio.sleep(0.02)
        await work
    await writer.engine.dispose()
    assert len(begun) == 1, "it was tried once"
    assert await looking.fetchval("SELECT count(*) FROM users") == 1


async def test_a_trigger_of_an_application_finds_its_tables_under_an_emptied_search_path(
    database: str, looking: asyncpg.Connection
) -> None:
    await looking.execute("""
        CREATE TABLE audit (id uuid);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO audit VALUES (new.id); RETURN new; END $$;
        CREATE TRIGGER note AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION note()""")
    writer = Writer(await set_defaults(database, {"search_path": ""}), 0)
    async with asyncio.timeout(30):
        await writer.write(await writer.batch([a_user_event()]))
    await writer.engine.dispose()
    assert await looking.fetchval("SELECT count(*) FROM audit") == 1
