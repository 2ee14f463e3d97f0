"""A Neon to connect to: its proxy ends TLS with a certificate, and a Postgres behind it asks for SCRAM-SHA-256."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import asyncpg

from neon_projector.consumer.demo.servers.postgres import EmbeddedPostgres
from tests.support.certificates import Certificates
from tests.support.neon_proxy import neon_proxy

USER = "ada"
PASSWORD = "p@ss:w/rd?#[%] +é"
NAMED = "127.0.0.2"
"""An address in the certificate. For this project it is a remote one, as all but 127.0.0.1 and ::1 are."""
UNNAMED = "127.0.0.3"
"""An address of the same server that its certificate does not name."""
NAMES = ("DNS:localhost", f"IP:{NAMED}", "IP:::1")
ACCESS = f"""
host all postgres 127.0.0.1/32 trust
host all {USER} 127.0.0.1/32 scram-sha-256
"""


@dataclass(frozen=True)
class SecureNeon:
    """Where it is, and whom to trust."""

    port: int
    authority: Path

    def url(self, query: str = "", host: str = NAMED, scheme: str = "postgresql", password: str = PASSWORD) -> str:
        """The URL of `USER`, percent-encoded as Neon's console does it."""
        address = f"{host}:{self.port}/postgres"
        return f"{scheme}://{USER}:{quote(password, safe='')}@{address}" + (f"?{query}" if query else "")


async def ask_for_scram(server: EmbeddedPostgres) -> None:
    """From now on `USER` gets in with its password only."""
    connection = await asyncpg.connect(server.url)
    try:
        quoted = PASSWORD.replace("'", "''")
        (server.data / "pg_hba.conf").write_text(ACCESS)
        for statement in (
            f"CREATE USER {USER} SUPERUSER PASSWORD '{quoted}'",
            "SELECT pg_reload_conf()",
        ):
            await connection.execute(statement)
        kept = await connection.fetchval("SELECT rolpassword FROM pg_authid WHERE rolname = $1", USER)
        assert kept.startswith("SCRAM-SHA-256$")
    finally:
        await connection.close()


@asynccontextmanager
async def secure_neon(server: EmbeddedPostgres, certificates: Certificates) -> AsyncIterator[SecureNeon]:
    """Before `server`, on an address that the certificate names and on one that it does not."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.server, certificates.key)
    async with neon_proxy(server.port, context, (NAMED, UNNAMED, "::1")) as proxy:
        yield SecureNeon(proxy.port, certificates.authority)
