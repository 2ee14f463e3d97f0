"""What is done about an error of the database, as one closed table; `docs/errors.md` is printed from it.

SQLSTATEs: PostgreSQL manual, appendix A. Words of Neon's proxy: `proxy/src` of github.com/neondatabase/neon, which
reports all its own errors as XX000. Words of PgBouncer, which reports all its own as 08P01: its `src/*.c`.
"""

import ssl
from dataclasses import dataclass

from sqlalchemy.exc import TimeoutError as PoolTimeout

from neon_projector.consumer.errors import (
    BadData,
    Conflict,
    DiskFull,
    FatalError,
    ProjectorError,
    SchemaMissing,
    TransientError,
)

TROUBLES = ("connection", "starting", "conflict", "limit", "timeout", "neon", "schema", "kafka")
"""All reasons that `projector_retries_total` counts."""

PROXIES = ("XX000", "08P01")
FORBIDDEN = "42501"
"""insufficient_privilege; also the error of a row-level security policy that refuses one row."""


@dataclass(frozen=True)
class Known:
    """One row: an error with one of `states` (or beginnings of them), and one of `words` in it where there are any."""

    what: str
    states: tuple[str, ...]
    kind: type[ProjectorError]
    reason: str = ""
    """What a TransientError counts as, one of TROUBLES."""
    words: tuple[str, ...] = ()
    """Parts of the message, in lower case."""

    def error(self, sign: str) -> ProjectorError:
        """The error to raise. A TransientError shows the `sign`, and what an SQLSTATE means; anything else `what`."""
        if issubclass(self.kind, TransientError):
            return self.kind(f"{self.what} ({sign})" if sign.startswith("SQLSTATE") else sign, self.reason)
        return self.kind() if self.kind in (SchemaMissing, DiskFull) else self.kind(self.what)


BY_WORDS = (
    Known("the database refuses the user or password of NEON_DATABASE_URL", PROXIES, FatalError, words=(
        "authentication failed", "no such user",
    )),
    Known("Neon: the endpoint is disabled", PROXIES, FatalError, words=(
        "endpoint is disabled", "endpoint has been disabled",
    )),
    Known("Neon: there is no such endpoint", PROXIES, FatalError, words=(
        "endpoint cannot be found", "endpoint could not be found", "endpoint id is not specified",
        "inconsistent project name",
    )),
    Known("Neon: a quota is spent", PROXIES, FatalError, words=("quota",)),
    Known("Neon: this address is not allowed to connect", PROXIES, FatalError, words=(
        "not allowed to connect", "blocked network",
    )),
    Known("the server wants encryption: see sslmode", PROXIES, FatalError, words=(
        "connection is insecure", "ssl required",
    )),
    Known("the pooler does not know the database", PROXIES, FatalError, words=("no such database", "does not exist")),
    Known("the pooler's own configuration is wrong", PROXIES, FatalError, words=("bouncer config error",)),
    Known("the pooler does not take a parameter of the URL (options)", PROXIES, FatalError, words=(
        "unsupported startup parameter",
    )),
    Known("the pooler is in statement mode: set pool_mode = transaction", PROXIES, FatalError, words=(
        "statement pooling mode",
    )),
    Known("the pooler lets nobody in from here (its auth_hba_file)", PROXIES, FatalError, words=("login rejected",)),
    Known("Neon can't reach or wake the compute, or has too much to do", PROXIES, TransientError, "neon", words=(
        "couldn't connect to compute", "control plane request failed", "too many connections", "acquire permit",
        "concurrently active endpoints", "authentication timed out",
    )),
    Known("a value, or many together, that Postgres can't hold in memory", ("XX000",), BadData, words=(
        "invalid memory alloc request size",
    )),
    Known("the pooler has no connection to give", PROXIES, TransientError, "limit", words=(
        "no more connections allowed", "query_wait_timeout",
    )),
    Known(
        "what this work kept in the database is gone: it gave no sign of life for so long that the next one dropped it",
        ("42P01",), TransientError, "schema", words=("projector.operation_",),
    ),
    Known("an application alters or drops a table at this moment", ("XX000",), Conflict, "conflict", words=(
        "cache lookup failed", "could not open relation with oid", "tuple concurrently updated",
        "tuple concurrently deleted",
    )),
)  # fmt: skip
"""The first that matches counts, before any row of BY_SQLSTATE."""

BY_SQLSTATE = (
    Known("the connection was lost, or the pooler has lost the server", ("08",), TransientError, "connection"),
    Known("an error of the operating system", ("58",), TransientError, "connection"),
    Known("the server starts, stops or fails over, or ended the connection", ("57P", "55"), TransientError, "starting"),
    Known(
        "the server takes no writes: a standby, or it fails over. NEON_DATABASE_URL must name the primary",
        ("25006",),
        TransientError,
        "starting",
    ),
    Known("a statement, a lock or a session took too long", ("57014", "55P03", "25P"), TransientError, "timeout"),
    Known("too many connections, too little memory", ("53",), TransientError, "limit"),
    Known(
        "the server's limit on temporary files, or on something else, is too low (temp_file_limit)",
        ("53400",),
        TransientError,
        "limit",
    ),
    Known("the database's disk is full, or its size limit is reached", ("53100",), DiskFull),
    Known("a deadlock, or a serialization failure", ("40",), Conflict, "conflict"),
    Known("an owner or a unique value that another transaction took", ("23503", "23505"), Conflict, "conflict"),
    Known("a value that the database refuses", ("22", "23", "54"), BadData),
    Known("the database refuses the user or password of NEON_DATABASE_URL", ("28",), FatalError),
    Known("the database does not exist", ("3D",), FatalError),
    Known("the database user may not do this: use the service's own, or grant it the right", (FORBIDDEN,), FatalError),
    Known("the schema is not migrated", ("42P01", "42703", "3F"), SchemaMissing),
)
"""The longest match counts."""

NOT_OURS = Known("a constraint that is not this service's own", ("23503", "23505"), BadData)
"""What a Conflict is where an application's own constraint or unique index is named: retrying cannot fix that."""


SCHEMA = Known(
    "a table, column or type is not as the service needs it; perhaps an application's migration is under way",
    ("0A", "42", "3F"), TransientError, "schema",
)  # fmt: skip
"""While records are applied, outside of an application's own function. At start the rows of BY_SQLSTATE count."""

REPLANNED = Known("a table was altered, and older query plans are no longer valid", ("0A000",), Conflict, "conflict")
"""What asyncpg raises as InvalidCachedStatementError, by the server's function RevalidateCachedQuery."""

APPLICATION = Known(
    "raised by an application's trigger or function, also with an SQLSTATE that is not in this table; or `42501`, by "
    "row-level security, or while the service has all rights on its own tables",
    ("P0", "44", "38", "39", "2F", "21"), BadData,
)  # fmt: skip
"""While records are applied, whatever the SQLSTATE. `consumer.apply.refusals` recognises it."""

CLASSES = frozenset((
    "00", "01", "02", "03", "08", "09", "0A", "0B", "0F", "0L", "0P", "0Z", "10", "20", "22", "23", "24", "25", "26",
    "27", "28", "2B", "2D", "34", "3B", "3D", "3F", "40", "42", "53", "54", "55", "57", "58", "72", "F0", "XX",
))  # fmt: skip
"""Classes of SQLSTATE that are about the server. No record is blamed for them, unless a row above says so."""


def known(state: str | None, message: str) -> Known | None:
    """The row for an error; None where it is unknown."""
    if state is None:
        return None
    lowered = message.lower()
    for row in BY_WORDS:
        if state in row.states and any(words in lowered for words in row.words):
            return row
    by_state = {beginning: row for row in BY_SQLSTATE for beginning in row.states}
    return next((by_state[state[:length]] for length in (5, 3, 2) if state[:length] in by_state), None)


BY_EXCEPTION: tuple[tuple[tuple[type[Exception], ...], Known], ...] = (
    ((ssl.SSLCertVerificationError,), Known("the database's certificate is not trusted", (), FatalError)),
    (
        (ConnectionError,),
        Known("the server does not encrypt: see sslmode", (), FatalError, words=("rejected ssl upgrade",)),
    ),
    ((PoolTimeout, TimeoutError), Known("no connection, or no answer, in time", (), TransientError, "timeout")),
    ((OSError,), Known("a connection refused or lost, an unknown host name", (), TransientError, "connection")),
)
"""For what has no SQLSTATE. The first that matches counts."""


def known_exception(error: Exception) -> Known | None:
    """The row for an error without SQLSTATE."""
    said = str(error).lower()
    for kinds, row in BY_EXCEPTION:
        if isinstance(error, kinds) and (not row.words or any(words in said for words in row.words)):
            return row
    return None
