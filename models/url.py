"""Reads a database URL as people have it (copied from Neon's console) into what the driver takes."""

import ssl
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

SCHEMES = ("postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg2")
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
SERVER_SETTINGS = ("options", "application_name")
DRIVER_PARAMETERS = ("host", "port", "target_session_attrs")
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class DatabaseAddress:
    """Where the database is. `url` is for SQLAlchemy, `connect_args` for asyncpg; `repr` shows no password."""

    url: URL
    connect_args: dict[str, Any] = field(default_factory=dict)
    pooled: bool = False
    """Whether a transaction pooler stands between (Neon's `-pooler` hosts): no prepared statements are kept."""


def parse_database_url(text: str) -> DatabaseAddress:
    """Parse `text`; ValueError (which shows nothing of it but the part at fault) where it is of no use.

    libpq's parameters are translated, `channel_binding` is left out: asyncpg has no such word.
    A remote host without `sslmode` is encrypted and verified.
    """
    try:
        url = make_url(text.strip().removeprefix("psql ").strip(" '\""))
    except (ArgumentError, ValueError):
        raise ValueError("is not a database URL: expected postgresql://user:password@host/database") from None
    if url.drivername not in SCHEMES:
        raise ValueError(f"names the database {url.drivername!r}: only postgresql:// is supported")
    if not url.host and "host" not in url.query:
        raise ValueError("names no host: expected postgresql://user:password@host/database")
    if not url.database:
        raise ValueError("names no database: expected postgresql://user:password@host/database")
    query = {key: value if isinstance(value, str) else value[-1] for key, value in url.query.items()}
    host = url.host or query.get("host", "")
    default_mode = "disable" if host in LOCAL_HOSTS or host.startswith("/") else "verify-full"
    connect_args: dict[str, Any] = {"ssl": _ssl(query.pop("sslmode", default_mode), query.pop("sslrootcert", None))}
    query.pop("channel_binding", None)
    if settings := {name: query.pop(name) for name in SERVER_SETTINGS if name in query}:
        connect_args["server_settings"] = settings
    if (timeout := query.pop("connect_timeout", "")).isdecimal() and int(timeout) > 0:
        connect_args["timeout"] = float(timeout)
    if password := query.pop("password", None):
        url = url.set(password=password)
    if user := query.pop("user", None):
        url = url.set(username=user)
    if not query.keys() <= set(DRIVER_PARAMETERS):
        known = ("sslmode", "sslrootcert", "channel_binding", "connect_timeout", *SERVER_SETTINGS, *DRIVER_PARAMETERS)
        raise ValueError(f"has a parameter that is not known: expected some of {', '.join(known)}")
    pooled = "-pooler" in host.split(".")[0]
    if pooled:
        connect_args |= {"statement_cache_size": 0, "prepared_statement_cache_size": 0}
    return DatabaseAddress(url.set(drivername="postgresql+asyncpg", query=query), connect_args, pooled)


def _ssl(mode: str, root_certificate: str | None) -> ssl.SSLContext | str | bool:
    """asyncpg's `ssl` argument for libpq's `sslmode` (PostgreSQL manual, section 32.19.3)."""
    if mode not in SSL_MODES:
        raise ValueError(f"has an unknown sslmode: expected one of {', '.join(SSL_MODES)}")
    if mode == "disable":
        return False
    if mode in ("allow", "prefer", "require"):
        return mode
    roots = None if root_certificate in (None, "system") else root_certificate
    try:
        context = ssl.create_default_context(cafile=roots)
    except OSError:
        raise ValueError("has an sslrootcert that can't be read") from None
    context.check_hostname = mode == "verify-full"
    return context
