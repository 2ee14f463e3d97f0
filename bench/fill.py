"""Fills the tables before a drain: one third of the rows are users, two thirds their documents."""

import asyncpg

USERS = """
    INSERT INTO users (id, email, name, is_active, created_at, updated_at, version)
    SELECT gen_random_uuid(), 'before' || n || '@example.com', 'Before ' || n, true, now(), now(), 1
    FROM generate_series(1, $1::int) AS n"""
DOCUMENTS = """
    WITH owners AS (SELECT array_agg(id) AS ids FROM users)
    INSERT INTO documents (id, title, content, user_id, created_at, updated_at, version)
    SELECT gen_random_uuid(), 'Before ' || n, 'Some text of a document.', ids[1 + n % $1::int], now(), now(), 1
    FROM owners, generate_series(1, 2 * $1::int) AS n"""


async def fill(database_url: str, rows: int) -> None:
    """Insert so many rows (a multiple of three) into empty tables."""
    if rows:
        connection = await asyncpg.connect(database_url)
        try:
            await connection.execute(USERS, rows // 3)
            await connection.execute(DOCUMENTS, rows // 3)
            await connection.execute("VACUUM ANALYZE")
        finally:
            await connection.close()
