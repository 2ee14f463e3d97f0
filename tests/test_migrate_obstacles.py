"""`projector migrate` says in one line what keeps it from its work, and changes nothing; `--check` says the same."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
from pydantic import SecretStr

from neon_projector.consumer.cli.migrate import _migrate
from neon_projector.consumer.errors import FatalError
from neon_projector.consumer.schema import migrate as migrations
from neon_projector.models.settings import DatabaseSettings
from tests.support.hostile import calm, set_defaults
from tests.support.projector import command
from tests.support.servers import fetched

SOMEBODY = "somebody_else"
EMPTY = {
    # name: what is done to the database before, what is said
    "no right to create the schema": ("", "may not create the schema projector: GRANT CREATE ON DATABASE"),
    "no right in public": (
        "CREATE SCHEMA projector AUTHORIZATION {role}", "may not create tables in the schema public, which belongs to",
    ),
    "the schema is another's": (
        "CREATE SCHEMA projector; GRANT CREATE ON SCHEMA public TO {role}",
        "may not use the schema projector, which belongs to",
    ),
    "the schema is another's, and may only be used": (
        "CREATE SCHEMA projector; GRANT USAGE ON SCHEMA projector TO {role}; "
        "GRANT CREATE ON SCHEMA public TO {role}",
        "may not create tables in the schema projector, which belongs to",
    ),
    "users of somebody else": (
        "CREATE SCHEMA projector AUTHORIZATION {role}; GRANT CREATE ON SCHEMA public TO {role}; "
        "CREATE TABLE public.users (id int)",
        "there is already public.users (of role ",
    ),
    "a view of that name": (
        "CREATE SCHEMA projector AUTHORIZATION {role}; GRANT CREATE ON SCHEMA public TO {role}; "
        "CREATE VIEW public.documents AS SELECT 1",
        "there is already public.documents (of role ",
    ),
    "no schema public": (
        "CREATE SCHEMA projector AUTHORIZATION {role}; DROP SCHEMA public", "has no schema public",
    ),
}  # fmt: skip
MIGRATED = {
    "a version table that can't be read": (
        "GRANT USAGE ON SCHEMA projector TO {role}", "may not read projector.alembic_version, which belongs to",
    ),
    "two revisions": (
        "INSERT INTO projector.alembic_version VALUES ('0001'); GRANT USAGE ON SCHEMA projector TO {role}; "
        "GRANT SELECT ON ALL TABLES IN SCHEMA projector TO {role}",
        "the migrations don't fit together: ",
    ),
    "tables of another role": (
        "UPDATE projector.alembic_version SET version_num = '0001'; GRANT USAGE, CREATE ON SCHEMA projector TO {role}; "
        "GRANT CREATE ON SCHEMA public TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA projector TO {role}",
        "only their owner may change them",
    ),
    "tables elsewhere": (
        "CREATE SCHEMA app; ALTER TABLE users SET SCHEMA app; GRANT USAGE ON SCHEMA projector TO {role}; "
        "GRANT SELECT ON ALL TABLES IN SCHEMA projector TO {role}",
        "but public.users is not there (there is app.users: ALTER TABLE … SET SCHEMA)",
    ),
}  # fmt: skip


@asynccontextmanager
async def limited(database: str, before: str) -> AsyncIterator[str]:
    """The URL of a role of its own that has no right but those of `before`."""
    role = f"limited_{uuid4().hex[:8]}"
    connection = await asyncpg.connect(database)
    await connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{role}'; {before.format(role=role)}")
    address = urlsplit(database)
    place = address.netloc.rpartition("@")[2]
    try:
        yield address._replace(netloc=f"{role}:{role}@{place}").geturl()
    finally:
        await connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
        await connection.close()


async def migrated(url: str, *, check: bool = False) -> int:
    return await _migrate(DatabaseSettings(neon_database_url=SecretStr(url)), check)


async def is_refused(url: str, said: str) -> None:
    for check in (True, False):
        with pytest.raises(FatalError) as refused:
            await migrated(url, check=check)
        message = str(refused.value)
        assert said in message
        assert "\n" not in message
        assert refused.value.exit_status == 3


@pytest.mark.parametrize("row", EMPTY)
async def test_migrate_says_what_is_wrong_with_an_empty_database(empty_database: str, row: str) -> None:
    before, said = EMPTY[row]
    async with limited(empty_database, before) as url:
        await is_refused(url, said)


@pytest.mark.parametrize("row", MIGRATED)
async def test_migrate_says_what_is_wrong_with_a_migrated_database(database: str, row: str) -> None:
    before, said = MIGRATED[row]
    async with limited(database, before) as url:
        await is_refused(url, said)


async def test_with_the_rights_it_names_it_migrates(empty_database: str) -> None:
    name = urlsplit(empty_database).path.removeprefix("/")
    rights = f"GRANT CREATE ON DATABASE {name} TO {{role}}; GRANT USAGE, CREATE ON SCHEMA public TO {{role}}"
    async with limited(empty_database, rights) as url:
        assert (await migrated(url, check=True), await migrated(url), await migrated(url)) == (1, 0, 0)
        (done,) = await fetched(
            url, "SELECT command, before::text, after->>'schema' AS schema FROM projector.operations"
        )
        assert done == {"command": "migrate", "before": "null", "schema": migrations.newest_revision()}


async def test_no_default_keeps_it_from_its_work(empty_database: str) -> None:
    defaults = {"default_transaction_read_only": "on", "search_path": "", "session_replication_role": "replica"}
    await set_defaults(empty_database, defaults)
    assert await migrated(empty_database) == 0
    connection = await calm(empty_database)
    assert await connection.fetchval("SELECT count(*) FROM public.users") == 0
    await connection.close()


async def test_several_heads_are_one_line(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two revisions that follow the same one: as when two branches of this project were merged."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.py").write_text(f"revision, down_revision = '{name}', '0001'\nbranch_labels = None\n")
    config = migrations.alembic_config

    def with_heads(**attributes: object) -> object:
        made = config(**attributes)
        own = Path(str(made.get_main_option("script_location"))) / "versions"
        made.set_main_option("version_path_separator", "os")
        made.set_main_option("version_locations", f"{own}:{tmp_path}")
        return made

    monkeypatch.setattr(migrations, "alembic_config", with_heads)
    await is_refused(database, "the migrations don't fit together: ")


def test_the_command_ends_with_3_and_one_line(database: str) -> None:
    """As a process: what `_migrate` raises is what a person sees."""
    done = command("migrate", settings={"NEON_DATABASE_URL": f"{database}?options=-c%20role%3Dpg_monitor"})
    assert (done.returncode, done.stdout) == (3, "")
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1
    assert "may not" in lines[0]
