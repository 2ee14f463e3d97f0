"""Alters tables without standing in the way: where one is busy, it lets all others go on, and tries again later.

A lock that waits keeps out everybody who comes after it, readers too: behind one long report of an application the
service and all readers would stand still. So a migration, and who makes triggers, waits for a lock for two seconds
(`lock_timeout`), is rolled back, and begins again after a pause.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.errors import TablesBusy
from neon_projector.consumer.logs.printable import printable
from neon_projector.models.control import ALL_METADATA

T = TypeVar("T")

log = logging.getLogger(__name__)

BUSY = ("55P03", "40P01")
"""lock_not_available: `lock_timeout` is over. deadlock_detected: we were chosen to give way."""
PAUSE_SECONDS = 3.0
PATIENCE_SECONDS = 120.0

_HOLDERS = text("""
    SELECT DISTINCT l.pid, l.virtualtransaction AS transaction,
        coalesce(nullif(a.application_name, ''), a.usename, a.backend_type, 'a prepared transaction') AS name
    FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
    JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE l.granted AND l.pid IS DISTINCT FROM pg_backend_pid()
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND n.nspname || '.' || c.relname = ANY(CAST(:tables AS text[]))
    ORDER BY 1""")


class Holder(NamedTuple):
    """A transaction that has a lock on one of our tables. `pid` is None for a prepared one."""

    pid: int | None
    transaction: str
    name: str

    def __str__(self) -> str:
        return printable(self.name if self.pid is None else f"{self.name}, process {self.pid}")


async def giving_way(engine: AsyncEngine, alter: Callable[[], Awaitable[T]]) -> T:
    """Run `alter`, one transaction with a `lock_timeout`, again and again where a table is busy. TablesBusy after two
    minutes; nothing is changed then."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return await alter()
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in BUSY:
                raise
        before = await _holders(engine)
        await asyncio.sleep(PAUSE_SECONDS)
        stayed = [one for one in await _holders(engine) if one in before]
        if time.monotonic() > end:
            raise TablesBusy(_said(stayed) or "many that were short")
        log.warning(
            "a table is in use by %s; nothing is changed yet, and it is tried again",
            "; ".join(map(str, stayed)) or "others",
        )


def _said(stayed: list[Holder]) -> str:
    ends = [f"SELECT pg_terminate_backend({one.pid})" for one in stayed if one.pid is not None]
    return "; ".join(map(str, stayed)) + (f". To end it: {'; '.join(ends)}" if ends else "")


async def _holders(engine: AsyncEngine) -> list[Holder]:
    tables = [
        f"{table.schema or 'public'}.{table.name}" for metadata in ALL_METADATA for table in metadata.sorted_tables
    ]
    async with engine.connect() as connection:
        return [Holder(*row) for row in await connection.execute(_HOLDERS, {"tables": tables})]
