"""Sessions for applications, one per transaction. They only read, unless a writable one is asked for."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, event
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker
from sqlalchemy.orm import sessionmaker
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

READ_ONLY = "25006"
"""SQLSTATE read_only_sql_transaction."""
READING = {"postgresql_readonly": True}
"""SQLAlchemy's execution option: each transaction begins with BEGIN READ ONLY."""


class ReadOnlySession(Exception):
    """A statement wanted to write in a session that only reads."""

    def __init__(self) -> None:
        super().__init__(
            "this session only reads. What is written to users or documents by hand is a difference that "
            "`projector verify` reports. For your own tables: session_factory(engine, writable=True)"
        )


def session_factory(engine: AsyncEngine, *, writable: bool = False) -> async_sessionmaker[AsyncSession]:
    """A factory of sessions on `engine`. Loaded objects stay readable after the commit.

    Each transaction begins with BEGIN READ ONLY, so it holds behind a transaction pooler too; a statement that writes
    is a ReadOnlySession. AUTOCOMMIT, which has no transactions, is a ValueError. With `writable` they are ordinary
    sessions, for tables of your own.
    """
    return async_sessionmaker(
        engine if writable else AsyncEngine(_reading(engine.sync_engine)), class_=AsyncSession, expire_on_commit=False
    )


def sync_session_factory(engine: Engine, *, writable: bool = False) -> sessionmaker[Session]:
    """As `session_factory`, for a synchronous application: `with factory() as session, session.begin(): …`."""
    return sessionmaker(engine if writable else _reading(engine), class_=Session, expire_on_commit=False)


@asynccontextmanager
async def transaction(factory: async_sessionmaker[AsyncSession]) -> AsyncIterator[AsyncSession]:
    """A session in one transaction, which commits at the end of the block and rolls back if the block raises."""
    async with factory() as session, session.begin():
        yield session


def _reading(engine: Engine) -> Engine:
    """The same engine with the same pool; its transactions only read."""
    if not event.contains(engine, "handle_error", _say_it_only_reads):
        event.listen(engine, "handle_error", _say_it_only_reads)
        event.listen(engine, "set_connection_execution_options", _need_transactions)
    _refuse_autocommit(engine.get_execution_options())
    return engine.execution_options(**READING)


def _need_transactions(connection: Connection, options: Mapping[str, Any]) -> None:
    if READING.items() <= connection.get_execution_options().items():
        _refuse_autocommit(options)


def _refuse_autocommit(options: Mapping[str, Any]) -> None:
    if options.get("isolation_level") == "AUTOCOMMIT":
        raise ValueError("AUTOCOMMIT has no transactions that only read: session_factory(engine, writable=True)")


def _say_it_only_reads(context: ExceptionContext) -> ReadOnlySession | None:
    """Called for every error of the engine; what is returned is raised instead."""
    options = {} if context.connection is None else context.connection.get_execution_options()
    refused = getattr(context.original_exception, "sqlstate", None) == READ_ONLY
    return ReadOnlySession() if refused and READING.items() <= options.items() else None
