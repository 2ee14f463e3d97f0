"""The engine and its pool."""

import logging
from typing import Any

from sqlalchemy import Connection as SyncConnection
from sqlalchemy import ExceptionContext, NullPool, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from neon_projector.models.begin import LIMITLESS, preamble, readers_preamble
from neon_projector.models.connection import Connection
from neon_projector.models.ping import ping_before_use
from neon_projector.models.settings import DatabaseSettings, ReaderSettings
from neon_projector.models.times import bind_times_exactly
from neon_projector.models.url import DatabaseAddress

log = logging.getLogger(__name__)

APPLICATION_NAME = "neon-projector"
"""What `pg_stat_activity` shows, unless the URL names something else."""
CONNECT_TIMEOUT_SECONDS = 20.0
"""Long enough for Neon to wake a compute, which takes a few seconds, at worst about 15."""
ANSWER_SECONDS = 5.0
"""Seconds that the client waits for an answer beyond the server's statement limit. After that the network is dead."""
MENDED_BY_A_NEW_SESSION = ("25006", "25P", "53200", "58")
"""SQLSTATEs, or their beginnings, that a new session may avoid: the server is a standby or read only (a new session may
find another server), the session's transaction state is wrong, or its process has run out of memory or files."""


def create_engine(settings: DatabaseSettings) -> AsyncEngine:
    """The pooled engine of a long-lived process. It connects on first use. Its errors show no values. An application
    gives its ReaderSettings; then the server also limits each statement."""
    engine = _engine(
        settings.address,
        settings,
        pool_size=settings.db_pool_size,
        max_overflow=settings.db_max_overflow,
        pool_recycle=settings.db_pool_recycle,
        pool_timeout=settings.db_pool_timeout,
        pool_use_lifo=True,  # reuse few connections, which have their statements and types cached
    )
    if settings.db_pool_pre_ping:
        ping_before_use(engine)
    if isinstance(settings, ReaderSettings):
        _say_at_begin(engine, readers_preamble(milliseconds(settings.db_statement_timeout)))
    return engine


def create_service_engine(settings: DatabaseSettings) -> AsyncEngine:
    """The engine of the service and its commands. Its transactions depend on no default (`models.begin`). It drops
    sessions whose server does not accept writes."""
    engine = create_engine(settings)
    _begin_with(engine, preamble(milliseconds(settings.db_statement_timeout)))
    return engine


def create_direct_engine(settings: DatabaseSettings) -> AsyncEngine:
    """The engine for migrations: past any pooler, without a pool, without a limit on statements. It keeps a
    `lock_timeout` that an operator has set."""
    engine = _engine(settings.direct_address, None, poolclass=NullPool)
    _begin_with(engine, preamble(LIMITLESS, lock_limit=False))
    return engine


def milliseconds(seconds: float) -> str:
    """As Postgres takes a duration."""
    return f"{round(seconds * 1000)}ms"


def _say_at_begin(engine: AsyncEngine, said: str) -> None:
    def connected(connection: DBAPIConnection, _entry: object) -> None:
        connection.driver_connection.preamble = said

    event.listen(engine.sync_engine, "connect", connected, insert=True)  # before the dialect asks about the server


def _begin_with(engine: AsyncEngine, said: str) -> None:
    sync = engine.sync_engine
    _say_at_begin(engine, said)
    event.listen(sync, "begin", _forget)
    event.listen(sync, "handle_error", _give_up_the_session)


def _forget(connection: SyncConnection) -> None:
    """Drop SQL that an earlier caller prepared for its BEGIN, if that BEGIN was never sent."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, Connection)
    driver.forget_next_transaction()


def _give_up_the_session(context: ExceptionContext) -> None:
    """Drop this session and all as old as it. The pool opens new ones, where the next attempt may succeed."""
    if (getattr(context.original_exception, "sqlstate", None) or "").startswith(MENDED_BY_A_NEW_SESSION):
        context.is_disconnect = True


def _engine(address: DatabaseAddress, limits: DatabaseSettings | None, **pool: Any) -> AsyncEngine:
    for remark in address.remarks:
        log.info(remark)
    connect_args = {"timeout": CONNECT_TIMEOUT_SECONDS, "connection_class": Connection, **address.connect_args}
    name = limits.db_application_name if isinstance(limits, ReaderSettings) else APPLICATION_NAME
    connect_args["server_settings"] = {"application_name": name} | connect_args.get("server_settings", {})
    if limits is not None:
        connect_args["command_timeout"] = limits.db_statement_timeout + ANSWER_SECONDS
    if address.pooled:  # unnamed statements: no name can clash, stay behind, or need a close
        connect_args["prepared_statement_name_func"] = str
    engine = create_async_engine(address.url, connect_args=connect_args, hide_parameters=True, **pool)
    event.listen(engine.sync_engine, "handle_error", _hide_values)
    bind_times_exactly(engine)
    return engine


def _hide_values(context: ExceptionContext) -> None:
    """Remove values from errors: driver and server quote them in the detail, and in messages of class 22 (data)."""
    shown = context.sqlalchemy_exception
    adapted = context.original_exception
    driver = adapted.__cause__
    for error in (adapted, driver):
        if getattr(error, "detail", None):
            error.detail = None  # type: ignore[union-attr]  # getattr has found it
    state = getattr(adapted, "sqlstate", None) or ""
    for one in filter(None, (shown, adapted, driver)):
        if state.startswith("22"):
            one.args = (f"a value is not accepted (SQLSTATE {state})",)
        elif one.args and "\nDETAIL:" in str(one.args[0]):  # SQLAlchemy 2.0 has put it into the text already
            one.args = (str(one.args[0]).partition("\nDETAIL:")[0],)
    if state.startswith("22") and driver is not None:
        driver.__cause__ = driver.__context__ = None
