"""The one boundary where a database driver's errors become our own, by the table in `consumer.recovery.table`."""

import os
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from neon_projector.consumer.errors import FatalError, ProjectorError, TransientError
from neon_projector.consumer.recovery.table import FORBIDDEN, PROXIES, REPLANNED, known, known_exception

_MISSING_RIGHT = re.compile(r"permission denied for (table|view|schema|sequence|function|database) \w+$", re.MULTILINE)
"""As the server says it (aclcheck_error in its aclchk.c), in English. A name only: other text may be of an event."""


@contextmanager
def translated() -> Iterator[None]:
    """Within, errors of the database's driver come out as our own; what is of no known kind comes out as FatalError."""
    try:
        yield
    except DBAPIError as error:
        ours = from_sqlstate(*_said(error))
        if isinstance(_driver(error), asyncpg.InvalidCachedStatementError):
            ours = REPLANNED.error("a table was altered")
        if ours is None and (error.connection_invalidated or isinstance(error, InterfaceError)):
            ours = TransientError("the connection was lost", "connection")
        if ours is None:  # its text may quote an event: only its type is shown
            ours = FatalError(f"an error of no known kind: {type(error).__name__}, SQLSTATE {_sqlstate(error)}")
        raise ours from None
    except asyncpg.OutdatedSchemaCacheError:
        raise REPLANNED.error("a type was altered") from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:  # COPY goes past SQLAlchemy
        raise _of_driver(error) from None
    except (PoolTimeout, TimeoutError, OSError) as error:
        row = known_exception(error)
        assert row is not None, "each of these has a row"
        raise row.error(_sign(error)) from error


def _of_driver(error: Exception) -> ProjectorError:
    state = getattr(error, "sqlstate", None)
    if state is None:
        return TransientError("the connection was lost", "connection")
    return from_sqlstate(state, str(error)) or FatalError(f"an error of no known kind: SQLSTATE {state}")


def _sign(error: Exception) -> str:
    """What logs and pages may show of an error without SQLSTATE: the system's words for its number, because the error's
    own text may name host and port (asyncio: "Connect call failed ('10.0.0.5', 5432)")."""
    if isinstance(error, ssl.SSLError):
        return error.reason or type(error).__name__
    if isinstance(error, socket.gaierror):
        return error.strerror or type(error).__name__
    number = getattr(error, "errno", None)
    return os.strerror(number) if number else type(error).__name__


def _said(error: DBAPIError) -> tuple[str | None, str]:
    """SQLSTATE and message. Where a proxy closed the connection and said why, that: the driver tells it as a cause."""
    driver = getattr(error.orig, "__cause__", None)
    reason = getattr(driver, "__cause__", None)
    state = getattr(reason, "sqlstate", None)
    return (state, str(reason)) if state in PROXIES else (_sqlstate(error), str(error.orig))


def _driver(error: DBAPIError) -> BaseException | None:
    """The driver's own error, behind SQLAlchemy's two."""
    return error.orig.__cause__ if error.orig is not None else None


def _sqlstate(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)


def from_sqlstate(state: str | None, message: str) -> ProjectorError | None:
    """Our error for an SQLSTATE; None where it is of no known kind. `message` tells proxies' errors apart, and says
    which right is missing."""
    row = known(state, message)
    if row is not None and state == FORBIDDEN and (which := _MISSING_RIGHT.search(message)):
        return row.kind(f"{row.what} ({which[0]})")
    return None if row is None else row.error(f"SQLSTATE {state}")
