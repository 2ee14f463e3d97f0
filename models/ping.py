"""Asks a pooled connection whether it lives, before it is used: one round trip, and none in the middle of work.

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
"""After this without an answer a connection counts as dead."""
FRESH_SECONDS = 1.0
"""A connection used so recently is not asked."""
USED_AT = "used_at"
NOTHING = "SELECT"
"""No columns, one row. asyncpg can't read the answer to an empty statement: it fails as if the connection were dead."""

DEAD = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
"""How it shows that a connection is of no use. The internal error: the server has said farewell, and not yet closed."""


def ping_before_use(engine: AsyncEngine) -> None:
    """From now on `engine` gives out connections that live; those that don't are replaced, with all older ones."""
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
    if driver.driver_connection.is_closed():  # the server has closed it, which costs nothing to know
        raise InvalidatePoolError
    if time.monotonic() - entry.info[USED_AT] < FRESH_SECONDS:
        return
    try:  # the simple protocol: it needs no transaction, also behind a transaction pooler
        driver.run_async(lambda connection: connection.execute(NOTHING, timeout=PING_SECONDS))
    except DEAD as error:
        raise InvalidatePoolError from error
