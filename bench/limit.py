"""Measures the limit: the same rows, staged in Postgres, upserted by `limit.sql`."""

import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson

SQL = Path(__file__).with_name("limit.sql").read_text()
COLUMNS = (
    "n", "is_user", "id", "version", "email", "name", "is_active", "title", "content", "user_id", "created_at",
    "updated_at",
)  # fmt: skip
BATCH = 5_000


async def limit_seconds(database_url: str, events: Iterable[tuple[str, UUID, bytes]]) -> float:
    """How long Postgres alone takes, in a database that is migrated and empty."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(SQL)
        rows = [_row(number, *event) for number, event in enumerate(events)]
        await connection.copy_records_to_table("stage", records=rows, columns=COLUMNS)
        await connection.execute("ANALYZE stage")
        await connection.execute("CHECKPOINT")
        started = time.monotonic()
        await connection.execute(f"CALL upsert_all({BATCH})")
        return time.monotonic() - started
    finally:
        await connection.close()


def _row(number: int, topic: str, entity_id: UUID, value: bytes) -> tuple[Any, ...]:
    data = orjson.loads(value)["data"]
    times = (datetime.fromisoformat(data[name]) for name in ("created_at", "updated_at"))
    owner = UUID(data["user_id"]) if topic == "documents" else None
    fields = (data.get(name) for name in ("email", "name", "is_active", "title", "content"))
    return (number, topic == "users", entity_id, data["version"], *fields, owner, *times)
