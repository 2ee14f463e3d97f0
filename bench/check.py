"""Are the tables what the events say?"""

from typing import Any
from uuid import UUID

import asyncpg

COLUMNS = {
    "user": ("users", ("version", "email", "name", "is_active")),
    "document": ("documents", ("version", "title", "content", "user_id")),
}


async def differences(database_url: str, truth: dict[str, dict[UUID, dict[str, Any]]]) -> int:
    """The number of rows that are missing, too many or different."""
    connection = await asyncpg.connect(database_url)
    wrong = 0
    try:
        for entity, (table, columns) in COLUMNS.items():
            rows = await connection.fetch(f"SELECT id, {', '.join(columns)} FROM {table}")
            found = {row["id"]: {c: row[c] for c in columns} for row in rows}
            wrong += len(truth[entity].keys() ^ found.keys())
            wrong += sum(1 for i, row in found.items() if i in truth[entity] and row.items() - truth[entity][i].items())
    finally:
        await connection.close()
    return wrong
