"""Migrations: they make what the models say, can be undone, and several may run at once."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from pydantic import SecretStr
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.errors import SchemaMissing, SchemaTooOld, TablesBusy
from neon_projector.consumer.schema import giving_way, migrate
from neon_projector.consumer.schema.migrate import (
    SchemaState,
    alembic_config,
    downgrade,
    offline_sql,
    require_schema,
    schema_state,
    upgrade,
)
from neon_projector.models.control import ALL_METADATA
from neon_projector.models.engine import create_direct_engine
from neon_projector.models.settings import DatabaseSettings
from tests.support.hostile import set_defaults

OURS = "n.nspname IN ('public', 'projector')"
SHAPE = f"""
    SELECT c.relkind::text || ' ' || c.oid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
        pg_get_expr(d.adbin, d.adrelid), concat(pg_get_indexdef(c.oid), c.reloptions)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE {OURS} AND c.relkind IN ('r', 'i', 'S')
    UNION ALL
    SELECT 'constraint ' || conrelid::regclass, conname, pg_get_constraintdef(c.oid), true, NULL, NULL
    FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace WHERE {OURS}
    ORDER BY 1, 2"""


@pytest.fixture
def engine(empty_database: str) -> AsyncEngine:
    """An engine of an empty database."""
    return direct(empty_database)


def direct(url: str) -> AsyncEngine:
    return create_direct_engine(DatabaseSettings(neon_database_url=SecretStr(url)))


async def fetched(url: str, query: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def executed(url: str, script: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(script)
    finally:
        await connection.close()


def _differences(connection: Connection) -> Any:
    options = {"include_schemas": True, "compare_type": True, "compare_server_default": True}
    context = MigrationContext.configure(connection, opts=migrate.VERSION_OPTIONS | options)
    return compare_metadata(context, ALL_METADATA)  # type: ignore[arg-type]  # it takes several


async def test_the_migrated_schema_is_what_the_models_say(database: str) -> None:
    async with direct(database).connect() as connection:
        assert await connection.run_sync(_differences) == []


async def test_the_migrated_tables_are_stored_as_the_models_say(database: str) -> None:
    stored = "SELECT relname::text, reloptions::text FROM pg_class WHERE relkind = 'r' AND reloptions IS NOT NULL"
    tables = [table for metadata in ALL_METADATA for table in metadata.tables.values()]
    said = {table.name: table.dialect_options["postgresql"]["with"] for table in tables}
    told = {
        (name, f"{{{','.join(f'{k}={v}' for k, v in options.items())}}}") for name, options in said.items() if options
    }
    assert set(await fetched(database, stored)) == told


async def test_the_tables_are_those_that_applications_were_promised(database: str) -> None:
    columns = "SELECT attname::text, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute WHERE attnum > 0"
    assert set(await fetched(database, f"{columns} AND attrelid = 'users'::regclass")) == {
        ("id", "uuid", True),
        ("email", "character varying(320)", True),
        ("name", "character varying(100)", True),
        ("is_active", "boolean", True),
        ("created_at", "timestamp with time zone", True),
        ("updated_at", "timestamp with time zone", True),
        ("version", "bigint", True),
    }
    assert set(await fetched(database, f"{columns} AND attrelid = 'documents'::regclass")) == {
        ("id", "uuid", True),
        ("title", "character varying(255)", True),
        ("content", "text", False),
        ("user_id", "uuid", True),
        ("created_at", "timestamp with time zone", True),
        ("updated_at", "timestamp with time zone", True),
        ("version", "bigint", True),
    }
    indexed = "SELECT tablename::text, substring(indexdef FROM '\\(.*') FROM pg_indexes WHERE schemaname = 'public'"
    assert set(await fetched(database, indexed)) == {
        ("users", "(id)"),
        ("users", "(email)"),
        ("users", "(created_at, id)"),
        ("users", "(created_at, id) WHERE (NOT is_active)"),
        ("documents", "(id)"),
        ("documents", "(created_at, id)"),
        ("documents", "(user_id, created_at, id)"),
        ("documents", "(title text_pattern_ops)"),
    }


async def test_indexes_that_an_operator_made_beforehand_are_taken(
    empty_database: str, database: str, engine: AsyncEngine
) -> None:
    await upgrade(engine, "0013")
    made = "CREATE INDEX ix_users_created_at_id ON users (created_at, id)"
    interrupted = "CREATE INDEX ix_users_inactive ON users (created_at)"
    invalid = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_users_inactive'::regclass"
    await executed(empty_database, f"{made}; {interrupted}; {invalid}")
    (before,) = await fetched(empty_database, "SELECT 'ix_users_created_at_id'::regclass::oid::int")
    await upgrade(engine)
    assert await fetched(empty_database, SHAPE) == await fetched(database, SHAPE)
    assert await fetched(empty_database, "SELECT 'ix_users_created_at_id'::regclass::oid::int") == [before]
    assert await fetched(empty_database, "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid") == []


WAITS = """
    SELECT count(*)::int FROM pg_locks JOIN pg_database d ON d.oid = database
    WHERE d.datname = current_database() AND relation IS NOT NULL AND NOT granted"""


@pytest.fixture
def briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a migration which gave way begins again soon."""
    monkeypatch.setattr(giving_way, "PAUSE_SECONDS", 0.1)


@pytest.mark.usefixtures("briefly")
async def test_a_long_report_of_an_application_stops_nobody_while_migrate_waits_for_it(
    empty_database: str, engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    await upgrade(engine, "0013")
    report = await asyncpg.connect(empty_database, server_settings={"application_name": "yearly report"})
    transaction = report.transaction()
    await transaction.start()
    await report.execute("SELECT FROM users")
    migrating = asyncio.create_task(upgrade(engine))
    try:
        await until(lambda: fetched(empty_database, WAITS), [(1,)])
        async with asyncio.timeout(60):
            assert await fetched(empty_database, "SELECT id FROM users") == []  # whom the lock would keep out
        await until(lambda: said(caplog, "yearly report"), True)
    finally:
        await transaction.rollback()
        await report.close()
    await migrating
    assert await schema_state(engine) is SchemaState.CURRENT


@pytest.mark.usefixtures("briefly")
async def test_migrate_gives_up_and_names_who_is_in_the_way(
    empty_database: str, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving_way, "PATIENCE_SECONDS", 0)
    await upgrade(engine, "0014")
    await set_defaults(empty_database, {"lock_timeout": "50ms"})  # an operator's own stays
    there = await fetched(empty_database, SHAPE)
    report = await asyncpg.connect(empty_database, server_settings={"application_name": "yearly report"})
    async with report.transaction():
        await report.execute("SELECT FROM projector.service_settings")
        pid = report.get_server_pid()
        with pytest.raises(TablesBusy, match=rf"SELECT pg_terminate_backend\({pid}\)") as ended:
            await upgrade(engine)
    await report.close()
    assert ended.value.exit_status == 3
    assert "yearly report" in str(ended.value)
    assert await fetched(empty_database, SHAPE) == there
    await upgrade(engine)


async def until(ask: Callable[[], Awaitable[Any]], expected: Any) -> None:
    async with asyncio.timeout(60):
        while await ask() != expected:
            await asyncio.sleep(0.02)


async def said(caplog: pytest.LogCaptureFixture, words: str) -> bool:
    return words in caplog.text


def revisions() -> list[str]:
    script = ScriptDirectory.from_config(alembic_config())
    return [revision.revision for revision in script.walk_revisions()][::-1]


async def test_every_step_can_be_undone_and_done_again(empty_database: str, engine: AsyncEngine) -> None:
    shapes = []
    for revision in revisions():
        shapes.append(await fetched(empty_database, SHAPE))
        await upgrade(engine, revision)
    newest = await fetched(empty_database, SHAPE)
    for revision, shape in zip([*revisions()[:-1][::-1], "base"], shapes[::-1], strict=True):
        await downgrade(engine, revision)
        assert await fetched(empty_database, SHAPE) == shape
    assert await fetched(empty_database, "SELECT to_regnamespace('projector')::text") == [(None,)]
    assert await schema_state(engine) is SchemaState.MISSING
    await upgrade(engine)
    assert await fetched(empty_database, SHAPE) == newest


async def test_a_schema_that_others_use_too_stays_when_ours_goes(database: str) -> None:
    await executed(database, "CREATE TABLE projector.theirs ()")
    await downgrade(direct(database), "base")
    assert await schema_state(direct(database)) is SchemaState.MISSING
    tables = "SELECT relname::text FROM pg_class WHERE relnamespace = 'projector'::regnamespace"
    assert await fetched(database, tables) == [("theirs",)]
    await upgrade(direct(database))
    assert await schema_state(direct(database)) is SchemaState.CURRENT


async def test_several_may_migrate_at_once(empty_database: str, database: str) -> None:
    await asyncio.gather(*(upgrade(direct(empty_database)) for _ in range(4)))
    assert await fetched(empty_database, SHAPE) == await fetched(database, SHAPE)


async def test_a_migrated_database_is_left_alone(database: str) -> None:
    await executed(database, "INSERT INTO users VALUES ('a@b.c', 'Ada', true, gen_random_uuid(), now(), now(), 1)")
    await upgrade(direct(database))
    assert await fetched(database, "SELECT name FROM users") == [("Ada",)]


async def test_the_sql_for_people_makes_the_same_schema(
    empty_database: str, database: str, engine: AsyncEngine
) -> None:
    await executed(empty_database, offline_sql())
    assert await fetched(empty_database, SHAPE) == await fetched(database, SHAPE)
    assert await schema_state(engine) is SchemaState.CURRENT


async def test_an_empty_database_has_no_schema(engine: AsyncEngine) -> None:
    assert await schema_state(engine) is SchemaState.MISSING
    with pytest.raises(SchemaMissing):
        await require_schema(engine)


async def test_a_migrated_schema_is_current(database: str) -> None:
    assert await schema_state(direct(database)) is SchemaState.CURRENT
    await require_schema(direct(database))


async def test_a_schema_of_a_revision_that_we_do_not_know_is_newer(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    await executed(database, "UPDATE projector.alembic_version SET version_num = 'later'")
    assert await schema_state(direct(database)) is SchemaState.NEWER
    await require_schema(direct(database))
    assert "newer" in caplog.text


async def test_a_schema_behind_our_newest_revision_is_older(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = tmp_path / "versions"
    versions.mkdir()
    newest = revisions()[-1]
    for revision, before in ((newest, None), ("next", newest)):
        (versions / f"{revision}_.py").write_text(f"revision = {revision!r}\ndown_revision = {before!r}\n")
    config = Config()
    config.set_main_option("script_location", str(tmp_path))
    monkeypatch.setattr(migrate, "alembic_config", lambda: config)
    assert await schema_state(direct(database)) is SchemaState.OLDER
    with pytest.raises(SchemaTooOld):
        await require_schema(direct(database))
