"""Translates a database URL, as copied from Neon's console, to the driver's arguments."""

import os
import re
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from neon_projector.models.tls import SSL_MODES, SYSTEM, tls

SCHEME = re.compile(r"(jdbc:)?(postgres|postgresql)(\+[a-z0-9_]+)?://")
"""The spellings of various tools. The driver that some of them name is ignored."""
EXPECTED = "expected postgresql://user:password@host/database"
LIBPQ = ("sslmode", "sslrootcert", "sslnegotiation", "channel_binding", "connect_timeout", "options")
SERVER_SETTINGS = ("options", "application_name")
DRIVER_PARAMETERS = ("host", "port", "target_session_attrs")
OF_OTHER_CLIENTS = ("connection_limit", "pool_timeout")
"""Prisma's parameters, which Neon's console puts into its strings. They have no meaning here and are ignored."""
SESSIONS = ("any", "primary", "standby", "prefer-standby", "read-write", "read-only")
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
INSTEAD_OF_BINDING = (
    "channel_binding=require: the driver has no channel binding; the server's certificate is verified instead, as by "
    "sslmode=verify-full"
)


@dataclass(frozen=True)
class DatabaseAddress:
    """How to reach the database. `url` is for SQLAlchemy, `connect_args` for asyncpg. `repr` shows no password."""

    url: URL
    connect_args: dict[str, Any] = field(default_factory=dict)
    pooled: bool = False
    """Whether the host is a transaction pooler (Neon's `-pooler` hosts): then no prepared statements are kept."""
    remarks: tuple[str, ...] = ()
    """Sentences for the log about parts of the URL that cannot be followed."""


def parse_database_url(text: str) -> DatabaseAddress:
    """Parse `text`. ValueError if it is no usable URL; the error quotes only the wrong part.

    libpq's parameters are translated. A connection is never less secure than with libpq: asyncpg has no channel
    binding, so if the URL requires it, the server's certificate is verified, as with `verify-full`. A connection to a
    remote host without `sslmode` is encrypted and verified. `?host=` wins over the host in front, as in libpq.
    """
    url = read_url(text)
    query = {key: value if isinstance(value, str) else value[-1] for key, value in url.query.items()}
    hosts = query.get("host", url.host or "").split(",")
    connect_args: dict[str, Any] = {}
    if settings := {name: query.pop(name) for name in SERVER_SETTINGS if name in query}:
        connect_args["server_settings"] = settings
    default_mode = os.environ.get("PGSSLMODE", "prefer") if all(map(is_local, hosts)) else "verify-full"
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


def read_url(text: str) -> URL:
    """The URL in any tool's spelling, with all its parameters. ValueError if it is none."""
    text = text.strip().removeprefix("psql ").strip(" '\"")
    scheme = SCHEME.match(text)
    rest = text[scheme.end() :] if scheme else ""
    before, mark, query = rest.partition("?")
    try:  # in libpq's URLs `+` is a plus sign, not a blank (section 32.1.1.2: only percent-encoding)
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


def is_local(host: str) -> bool:
    """Whether the host, which may have its port, is this machine."""
    name = host if host in LOCAL_HOSTS else host.rpartition(":")[0].strip("[]") or host
    return name in LOCAL_HOSTS or name.startswith("/")


def _is_bound(channel_binding: str) -> bool:
    if channel_binding not in ("disable", "prefer", "require"):
        raise ValueError("has an unknown channel_binding: expected one of disable, prefer, require")
    return channel_binding == "require"


def _verified(mode: str) -> str:
    """The mode for channel_binding=require and sslrootcert=system. ValueError without encryption, as in libpq."""
    if mode == "disable":
        raise ValueError("has sslmode=disable: channel_binding=require and sslrootcert=system need encryption")
    return "verify-full" if mode in SSL_MODES else mode
