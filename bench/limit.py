"""Measures the limit: the same rows, staged in Postgres, upserted by `limit.sql`."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from bench.events import Mix
from bench.processes import cpu_seconds, family

SQL = Path(__file__).with_name("limit.sql").read_text()
COLUMNS = (
    "n", "is_user", "id", "version", "email", "name", "is_active", "title", "content", "user_id", "created_at",
    "updated_at",
)  # fmt: skip
BATCH = 5_000


@dataclass(frozen=True)
class Limit:
    """Events/s, and µs of Postgres's CPU per event."""

    rate: float
    postgres: float


async def limit(database_url: str, postgres: int, mix: Mix, connections: int = 1) -> Limit:
    """What Postgres alone can do in a database that is migrated and empty; `postgres` is its process id.

    Several connections take the batches by turns: first all of the new users, then what may refer to them.
    """
    opened = [await asyncpg.connect(database_url) for _ in range(connections)]
    try:
        await opened[0].execute(SQL)
        rows = [_row(number, *event) for number, event in enumerate(mix.events())]
        await opened[0].copy_records_to_table("stage", records=rows, columns=COLUMNS)
        await opened[0].execute("ANALYZE stage")
        await opened[0].execute("CHECKPOINT")
        started, before = time.monotonic(), cpu_seconds(family(postgres))
        for first, last in ((0, mix.users), (mix.users, mix.total)) if connections > 1 else ((0, mix.total),):
            call = f"CALL upsert_range({BATCH}, {{}}, {last}, {BATCH * connections})"
            parts = (c.execute(call.format(first + number * BATCH)) for number, c in enumerate(opened))
            await asyncio.gather(*parts)
        seconds, used = time.monotonic() - started, cpu_seconds(family(postgres)) - before
    finally:
        for connection in opened:
            await connection.close()
    return Limit(mix.total / seconds, used / mix.total * 1e6)


def _row(number: int, topic: str, entity_id: UUID, value: bytes) -> tuple[Any, ...]:
    data = orjson.loads(value)["data"]
    times = (datetime.fromisoformat(data[name]) for name in ("created_at", "updated_at"))
    owner = UUID(data["user_id"]) if topic == "documents" else None
    fields = (data.get(name) for name in ("email", "name", "is_active", "title", "content"))
    return (number, topic == "users", entity_id, data["version"], *fields, owner, *times)
