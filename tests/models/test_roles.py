"""The role that `projector roles --sql` makes: it reads what applications need, and nothing else."""

import asyncpg
import pytest

from neon_projector.consumer.schema.roles import roles_sql
from neon_projector.models.settings import ReaderSettings

READ = (
    "SELECT count(*) FROM users",
    "SELECT count(content) FROM documents",
    "SELECT next_offset FROM projector.offsets",
    "SELECT status FROM projector.dead_letters",
)
REFUSED = (
    "DELETE FROM users",
    "UPDATE documents SET title = 'x'",
    "INSERT INTO users SELECT * FROM users",
    "TRUNCATE documents",
    "SELECT value FROM projector.dead_letters",
    "SELECT error FROM projector.dead_letters",
    "SELECT data FROM projector.parked_events",
    "SELECT state FROM projector.absent_states",
    "SELECT * FROM projector.offsets",
    "SELECT * FROM projector.operations",
    "CREATE TABLE projector.theirs ()",
    "CREATE TABLE public.theirs ()",
)


async def test_the_reader_reads_the_two_tables_and_how_far_the_service_is(reading: ReaderSettings) -> None:
    connection = await asyncpg.connect(reading.neon_database_url.get_secret_value())
    for statement in READ:
        await connection.execute(statement)
    for statement in REFUSED:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    await connection.close()


@pytest.mark.parametrize("name", ['Ada\'s "role"', "$roles$", "Zoë; DROP TABLE users --", "select", "x" * 63])
async def test_any_name_is_quoted(database: str, name: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute(roles_sql(name))
    await connection.execute(roles_sql(name))
    assert await connection.fetchval("SELECT has_table_privilege($1::name, 'public.users', 'SELECT')", name)
    quoted = '"' + name.replace('"', '""') + '"'
    await connection.execute(f"DROP OWNED BY {quoted}; DROP ROLE {quoted}")
    await connection.close()


@pytest.mark.parametrize("name", ["", "x" * 64, "ë" * 32, "a\nDROP TABLE users", "a\0"])
def test_a_name_that_no_role_has_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="1 to 63 bytes"):
        roles_sql(name)


@pytest.mark.parametrize("name", ["public", "none", "pg_monitor"])
def test_a_name_that_postgres_keeps_is_refused(name: str) -> None:
    """psql would go on after the failed CREATE ROLE, and grant the tables to everybody."""
    with pytest.raises(ValueError, match="for itself"):
        roles_sql(name)
