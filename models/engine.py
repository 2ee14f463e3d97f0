"""The engine and its pool."""

from typing import Any
from uuid import uuid4

from sqlalchemy import ExceptionContext, NullPool, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from models.settings import DatabaseSettings
from models.url import DatabaseAddress

CONNECT_TIMEOUT_SECONDS = 20.0
"""Long enough for a compute that Neon has to wake (a few seconds, at worst about 15)."""


def create_engine(settings: DatabaseSettings) -> AsyncEngine:
    """The pooled engine of a long-lived process; it connects when first used. Errors hide all values."""
    return _engine(
        settings.address,
        pool_size=settings.db_pool_size,
        max_overflow=settings.db_max_overflow,
        pool_pre_ping=settings.db_pool_pre_ping,
        pool_recycle=settings.db_pool_recycle,
        pool_timeout=settings.db_pool_timeout,
    )


def create_direct_engine(settings: DatabaseSettings) -> AsyncEngine:
    """An engine past any pooler, without a pool of its own: for migrations."""
    return _engine(settings.direct_address, poolclass=NullPool)


def _engine(address: DatabaseAddress, **pool: Any) -> AsyncEngine:
    connect_args = {"timeout": CONNECT_TIMEOUT_SECONDS, **address.connect_args}
    if address.pooled:  # names must not clash between clients that share a server connection
        connect_args["prepared_statement_name_func"] = lambda: f"__projector_{uuid4().hex}__"
    engine = create_async_engine(address.url, connect_args=connect_args, hide_parameters=True, **pool)
    event.listen(engine.sync_engine, "handle_error", _hide_values)
    return engine


def _hide_values(context: ExceptionContext) -> None:
    """Driver and server quote values in an error's detail, and in the message of those about data (class 22)."""
    shown = context.sqlalchemy_exception
    adapted = context.original_exception
    driver = adapted.__cause__
    for error in (adapted, driver):
        if getattr(error, "detail", None):
            error.detail = None  # type: ignore[union-attr]
    state = getattr(adapted, "sqlstate", None) or ""
    if state.startswith("22"):
        for one in filter(None, (shown, adapted, driver)):
            one.args = (f"a value is not accepted (SQLSTATE {state})",)
        if driver is not None:
            driver.__cause__ = driver.__context__ = None
