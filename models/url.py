"""Reads a database URL as people have it (copied from Neon's console) into what the driver takes."""

import os
import re
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from neon_projector.models.tls import SSL_MODES, SYSTEM, tls

SCHEME = re.compile(r"(jdbc:)?(postgres|postgresql)(\+[a-z0-9_]+)?://")
"""Of the spellings that people's tools want; the driver they name is not ours, and is left out."""
EXPECTED = "expected postgresql://user:password@host/database"
LIBPQ = ("sslmode", "sslrootcert", "sslnegotiation", "channel_binding", "connect_timeout", "options")
SERVER_SETTINGS = ("options", "application_name")
DRIVER_PARAMETERS = ("host", "port", "target_session_attrs")
OF_OTHER_CLIENTS = ("connection_limit", "pool_timeout")
"""Prisma's own, which Neon's console puts into its strings: of no meaning here, left out."""
SESSIONS = ("any", "primary", "standby", "prefer-standby", "read-write", "read-only")
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
INSTEAD_OF_BINDING = (
    "channel_binding=require: the driver has no channel binding; the server's certificate is verified instead, as by "
    "sslmode=verify-full"
)


@dataclass(frozen=True)
class DatabaseAddress:
    """Where the database is. `url` is for SQLAlchemy, `connect_args` for asyncpg; `repr` shows no password."""

    url: URL
    connect_args: dict[str, Any] = field(default_factory=dict)
    pooled: bool = False
    """Whether a transaction pooler stands between (Neon's `-pooler` hosts): no prepared statements are kept."""
    remarks: tuple[str, ...] = ()
    """What of the URL can't be kept, in words for the log."""


def parse_database_url(text: str) -> DatabaseAddress:
    """Parse `text`; ValueError (which shows nothing of it but the part at fault) where it is of no use.

    libpq's parameters are translated. A connection is never less secure than libpq would make it: asyncpg has no
    channel binding, so where it is required the server's certificate is verified, as by `verify-full`. A remote host
    without `sslmode` is encrypted and verified. `?host=` wins over the host in front, as in libpq.
    """
    url = _parsed(text.strip().removeprefix("psql ").strip(" '\""))
    query = {key: value if isinstance(value, str) else value[-1] for key, value in url.query.items()}
    hosts = query.get("host", url.host or "").split(",")
    connect_args: dict[str, Any] = {}
    if settings := {name: query.pop(name) for name in SERVER_SETTINGS if name in query}:
        connect_args["server_settings"] = settings
    default_mode = os.environ.get("PGSSLMODE", "prefer") if all(map(_is_local, hosts)) else "verify-full"
    mode, roots = query.pop("sslmode", default_mode), query.pop("sslrootcert", None)
    bound = _is_bound(query.pop("channel_binding", os.environ.get("PGCHANNELBINDING", "prefer")))
    if bound or roots == SYSTEM:
        mode = _verified(mode)
    connect_args |= tls(mode, roots, query.pop("sslnegotiation", "postgres"))
    remarks = (INSTEAD_OF_BINDING,) if bound else ()
    if (timeout := query.pop("connect_timeout", "")).isdecimal() and int(timeout) > 0:
        connect_args["timeout"] = float(timeout)
    pooled = query.pop("pgbouncer", "") == "true" or any("-pooler" in host.split(".")[0] for host in hosts)
    for other in OF_OTHER_CLIENTS:
        query.pop(other, None)
    if password := query.pop("password", None):
        url = url.set(password=password)
    if user := query.pop("user", None):
        url = url.set(username=user)
    if not query.keys() <= set(DRIVER_PARAMETERS):
        known = ", ".join((*LIBPQ, "application_name", "pgbouncer=true", *DRIVER_PARAMETERS))
        raise ValueError(f"has a parameter that is not known: expected some of {known}")
    if query.get("target_session_attrs", "any") not in SESSIONS:
        raise ValueError(f"has unknown target_session_attrs: expected one of {', '.join(SESSIONS)}")
    if pooled:
        connect_args |= {"statement_cache_size": 0, "prepared_statement_cache_size": 0}
    return DatabaseAddress(url.set(drivername="postgresql+asyncpg", query=query), connect_args, pooled, remarks)


def _parsed(text: str) -> URL:
    scheme = SCHEME.match(text)
    rest = text[scheme.end() :] if scheme else ""
    before, mark, query = rest.partition("?")
    try:  # in a URL of libpq's `+` is a plus sign (section 32.1.1.2: only percent-encoding), not a blank
        url = make_url(f"postgresql://{before}{mark}{query.replace('+', '%2B')}" if scheme else text)
    except (ArgumentError, ValueError):
        raise ValueError(f"is not a database URL: {EXPECTED}") from None
    if scheme is None:
        raise ValueError(f"names the database {url.drivername!r}: only postgresql:// is supported")
    if not url.host and "host" not in url.query:
        raise ValueError(f"names no host: {EXPECTED}")
    if not url.database:
        raise ValueError(f"names no database: {EXPECTED}")
    return url


def _is_local(host: str) -> bool:
    name = host if host in LOCAL_HOSTS else host.rpartition(":")[0].strip("[]") or host  # it may have its port
    return name in LOCAL_HOSTS or name.startswith("/")


def _is_bound(channel_binding: str) -> bool:
    if channel_binding not in ("disable", "prefer", "require"):
        raise ValueError("has an unknown channel_binding: expected one of disable, prefer, require")
    return channel_binding == "require"


def _verified(mode: str) -> str:
    """libpq refuses both without encryption; weaker modes it would take, and then bind, or refuses as well."""
    if mode == "disable":
        raise ValueError("has sslmode=disable: channel_binding=require and sslrootcert=system need encryption")
    return "verify-full" if mode in SSL_MODES else mode
