"""Checks a pooled connection before use: one round trip, and none if the connection was used just before.

SQLAlchemy's own `pool_pre_ping` takes four with asyncpg (BEGIN, two for `;`, ROLLBACK), has no time limit of its own,
and lets a timeout through as the caller's failure.
"""

import time

import asyncpg
from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

PING_SECONDS = 5.0
"""A connection that has not answered by then counts as dead."""
FRESH_SECONDS = 1.0
"""A connection that was used so recently is not checked."""
USED_AT = "used_at"
NOTHING = "SELECT"
"""No columns, one row. asyncpg cannot read the answer to an empty statement and would report a dead connection."""

DEAD = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
"""The errors of a dead connection. The internal error comes if the server has announced its end but not closed yet."""


def ping_before_use(engine: AsyncEngine) -> None:
    """Make `engine` check its connections before use. It replaces a dead one and all older ones."""
    pool = engine.sync_engine.pool
    event.listen(pool, "connect", _connected)
    event.listen(pool, "checkin", _used)
    event.listen(pool, "checkout", _ping)


def _connected(_connection: object, entry: ConnectionPoolEntry) -> None:
    entry.info[USED_AT] = time.monotonic()


def _used(_connection: object, entry: ConnectionPoolEntry) -> None:
    entry.info[USED_AT] = time.monotonic()


def _ping(connection: object, entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
    driver = entry.dbapi_connection
    assert driver is not None
    if driver.driver_connection.is_closed():  # the server has closed it; this check costs nothing
        raise InvalidatePoolError
    if time.monotonic() - entry.info[USED_AT] < FRESH_SECONDS:
        return
    try:  # the simple protocol needs no transaction, even behind a transaction pooler
        driver.run_async(lambda connection: connection.execute(NOTHING, timeout=PING_SECONDS))
    except DEAD as error:
        raise InvalidatePoolError from error
