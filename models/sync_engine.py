"""The engine of a synchronous application, on psycopg: `pip install "neon-projector[sync]"`."""

from typing import Any

from sqlalchemy import Engine, ExceptionContext, create_engine, event

from neon_projector.models.begin import readers_preamble
from neon_projector.models.engine import ANSWER_SECONDS, CONNECT_TIMEOUT_SECONDS, milliseconds
from neon_projector.models.libpq import parse_for_libpq
from neon_projector.models.settings import ReaderSettings


def create_sync_engine(settings: ReaderSettings) -> Engine:
    """As `create_engine`, with psycopg as the driver. ImportError where psycopg is not installed."""
    try:
        import psycopg  # noqa: F401, PLC0415
    except ImportError as error:
        raise ImportError(f"a synchronous engine needs psycopg ({error}): pip install 'neon-projector[sync]'") from None
    address = parse_for_libpq(settings.neon_database_url.get_secret_value())
    defaults = {
        "application_name": settings.db_application_name,
        "connect_timeout": round(CONNECT_TIMEOUT_SECONDS),
        "tcp_user_timeout": milliseconds(settings.db_statement_timeout + ANSWER_SECONDS).removesuffix("ms"),
    }
    connect_args: dict[str, Any] = {name: value for name, value in defaults.items() if name not in address.url.query}
    if address.pooled:
        connect_args["prepare_threshold"] = None  # no prepared statements
    engine = create_engine(
        address.url,
        connect_args=connect_args,
        hide_parameters=True,
        pool_size=settings.db_pool_size,
        max_overflow=settings.db_max_overflow,
        pool_recycle=settings.db_pool_recycle,
        pool_timeout=settings.db_pool_timeout,
        pool_pre_ping=settings.db_pool_pre_ping,
        pool_use_lifo=True,
    )
    said = readers_preamble(milliseconds(settings.db_statement_timeout))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(said) and None)
    event.listen(engine, "handle_error", _hide_values)
    return engine


def _hide_values(context: ExceptionContext) -> None:
    """Remove values from errors: libpq quotes them in the lines below the first, and in messages of class 22 (data)."""
    state = getattr(context.original_exception, "sqlstate", None) or ""
    first = str(context.original_exception).partition("\n")[0]
    said = f"a value is not accepted (SQLSTATE {state})" if state.startswith("22") else first
    for one in filter(None, (context.sqlalchemy_exception, context.original_exception)):
        one.args = (said,)
