"""Translates a database URL, as copied from Neon's console, for psycopg, which hands it to libpq."""

import os
import ssl
from dataclasses import dataclass

from sqlalchemy.engine import URL

from neon_projector.models.tls import SYSTEM
from neon_projector.models.url import OF_OTHER_CLIENTS, is_local, parse_database_url, read_url


@dataclass(frozen=True)
class LibpqAddress:
    """How to reach the database. `url` is for SQLAlchemy with psycopg. `pooled` as in DatabaseAddress."""

    url: URL
    pooled: bool


def parse_for_libpq(text: str) -> LibpqAddress:
    """Parse `text`; the same texts are refused as by `parse_database_url`, with the same ValueErrors.

    libpq's own parameters stay. A connection to a remote host without `sslmode` is encrypted and verified, with the
    certificates that Python trusts: the libpq in psycopg's wheel looks for the system's elsewhere.
    """
    pooled = parse_database_url(text).pooled
    url = read_url(text)
    query = {key: value if isinstance(value, str) else value[-1] for key, value in url.query.items()}
    hosts = query.get("host", url.host or "").split(",")
    for other in ("pgbouncer", *OF_OTHER_CLIENTS):
        query.pop(other, None)
    if password := query.pop("password", None):
        url = url.set(password=password)
    if user := query.pop("user", None):
        url = url.set(username=user)
    if "sslmode" not in query and not all(map(is_local, hosts)):
        query = {"sslmode": "verify-full", "sslrootcert": SYSTEM} | query
    if query.get("sslrootcert") == SYSTEM:
        query |= {"sslmode": "verify-full", "sslrootcert": _systems_certificates()}
    return LibpqAddress(url.set(drivername="postgresql+psycopg", query=query), pooled)


def _systems_certificates() -> str:
    paths = ssl.get_default_verify_paths()
    return os.environ.get(paths.openssl_cafile_env) or paths.cafile or SYSTEM
