"""A real PgBouncer in transaction mode before a Postgres. Debian's (1.18) knows no prepared statements."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from neon_projector.consumer.demo.servers.ports import free_port
from neon_projector.consumer.demo.servers.postgres import UNPRIVILEGED_USER, EmbeddedPostgres
from tests.support.kafka import listening
from tests.support.projector import eventually

CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={server} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
server_login_retry = 1
{more}
"""
SHARED = "default_pool_size = 2"
"""Few server connections, so that transactions of different clients take turns on each."""


@dataclass
class PgBouncer:
    """A running pooler."""

    home: Path
    port: int
    server: EmbeddedPostgres
    process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres", query: str = "pgbouncer=true") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}?{query}"

    def start(self, more: str) -> None:
        file = self.home / "pgbouncer.ini"
        file.write_text(CONFIGURATION.format(server=self.server.port, port=self.port, more=more))
        user = ("-u", UNPRIVILEGED_USER) if os.geteuid() == 0 else ()
        with (self.home / "log").open("wb") as log:
            self.process = subprocess.Popen(["pgbouncer", *user, file], stdout=log, stderr=log)
        eventually("the pooler listens", lambda: listening(self.port))

    def logged(self) -> str:
        return (self.home / "log").read_text()

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def pgbouncer(server: EmbeddedPostgres, more: str = SHARED) -> Iterator[PgBouncer]:
    """Start it before `server`, with `more` lines of configuration; RuntimeError where it is not installed."""
    if shutil.which("pgbouncer") is None:
        raise RuntimeError("no pgbouncer: the tests of the pooled connection need it (apt-get install pgbouncer)")
    home = Path(tempfile.mkdtemp(prefix="projector-pgbouncer-"))
    pooler = PgBouncer(home, free_port(), server)
    try:
        if os.geteuid() == 0:
            os.chown(home, pwd.getpwnam(UNPRIVILEGED_USER).pw_uid, -1)
        pooler.start(more)
        yield pooler
    finally:
        pooler.stop()
        shutil.rmtree(home, ignore_errors=True)
