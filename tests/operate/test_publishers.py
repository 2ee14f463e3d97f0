"""A publisher sees the dead letters of its own source, by the SQL of docs/security.md, and nothing else."""

import re
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from tests.support.documents import ROOT, blocks

SECURITY = ROOT / "docs" / "security.md"
LETTER = """
    INSERT INTO projector.dead_letters (topic, partition, "offset", sha256, value, headers, source, reason, error)
    VALUES ('users', 0, $1, 'x', $2, '[]', $3, 'invalid_data', 'data.name: at most 100 characters, 101 came')"""


@pytest.fixture
async def publisher(database: str) -> AsyncIterator[asyncpg.Connection]:
    """Connected as `crm`, to whom the documents give the letters of `/crm`."""
    role = f"crm_{uuid4().hex}"
    _, _, section = SECURITY.read_text().partition("## Publishers read their own dead letters")
    once, each = blocks(section, "sql")
    owner = await asyncpg.connect(database)
    await owner.execute(once)
    await owner.execute(re.sub(r"\bcrm\b(?<!/crm)", role, each))
    for offset, source in enumerate(("/crm", "/crm", "/shop", "/crm/", None)):
        await owner.execute(LETTER, offset, b"{}", source)
    connection = await asyncpg.connect(database, user=role, password="choose one")
    yield connection
    await connection.close()
    await owner.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
    await owner.close()


async def test_a_publisher_sees_the_letters_of_its_own_source(publisher: asyncpg.Connection) -> None:
    seen = await publisher.fetch('SELECT "offset", source, error FROM publishers.dead_letters ORDER BY id')
    assert [row["offset"] for row in seen] == [0, 1]
    assert {row["source"] for row in seen} == {"/crm"}
    assert seen[0]["error"] == "data.name: at most 100 characters, 101 came"


async def test_no_query_of_a_publisher_is_shown_a_letter_of_another(publisher: asyncpg.Connection) -> None:
    """Without the barrier, the division would be tried on the rows of others, and its error tell of them."""
    trap = "SELECT count(*) FROM publishers.dead_letters WHERE 1 / (CASE source WHEN '/crm' THEN 1 ELSE 0 END) = 1"
    assert await publisher.fetchval(trap) == 2


FORBIDDEN = (
    "SELECT * FROM projector.dead_letters",
    "SELECT * FROM projector.offsets",
    "SELECT * FROM publishers.sources",
    "UPDATE publishers.dead_letters SET status = 'discarded'",
    "DELETE FROM publishers.dead_letters",
    "INSERT INTO publishers.sources VALUES (current_user, '/shop')",
    "SELECT * FROM public.users",
)


async def test_a_publisher_may_do_nothing_else(publisher: asyncpg.Connection) -> None:
    await publisher.execute("SET default_transaction_read_only = off")
    for statement in FORBIDDEN:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await publisher.execute(statement)
