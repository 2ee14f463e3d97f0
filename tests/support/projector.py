"""The service and the other commands as processes of their own, as operators run them."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from neon_projector.consumer.demo.servers.ports import free_port
from tests.support.forked import Forked

PROJECTOR = Path(sys.executable).with_name("projector")
MAIN = "neon_projector.consumer.entry:main"
OURS = ("NEON_", "KAFKA_", "DB_", "BATCH", "LOG_", "HTTP_", "USERS_", "DOCUMENTS_", "CHANGES_", "OTEL_")
"""How the names of settings begin."""
READ_LATE = (*OURS, "CASCADE_", "CONTRACT_", "EVENT_", "FUSE_", "PROJECTOR_", "READY_", "COLUMNS", "TMPDIR")
"""Of these names no library reads any while it is imported."""
Process = Forked | subprocess.Popen[bytes]


@dataclass
class Projector:
    """A running `projector run`."""

    process: Process
    port: int
    log: Path

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of an answer of the sidecar; status 0 where there is none."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def status(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.get("/status")[1] or "{}")
        return body

    def failed(self) -> dict[str, str]:
        """The failed checks of readiness, by name."""
        found: dict[str, str] = json.loads(self.get("/health/ready")[1] or "{}").get("failed", {})
        return found

    def stopped(self) -> set[str]:
        """Why partitions are stopped."""
        return {own["stopped"] for own in self.status().get("partitions", []) if own["stopped"]}

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def terminate(self, timeout: float = 10) -> int:
        """SIGTERM, and the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def logged(self) -> str:
        return self.log.read_text()


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The process's environment with `settings`, and nothing of a developer's own."""
    return {k: v for k, v in os.environ.items() if not k.startswith(OURS)} | dict(settings)


def start(*words: str, settings: Mapping[str, str], output: BinaryIO | None = None, afresh: bool = False) -> Process:
    """`projector` with these words; what it prints goes to `output`, or is there for `communicate`.

    It is forked, as in `forked.py`. By an interpreter of its own it runs where a test is about memory or the beginning
    (`afresh`), and where `settings` has what Python or a library may look for while it is imported.
    """
    command = [str(PROJECTOR), *words]
    if afresh or not all(name.startswith(READ_LATE) for name in settings):
        stream = output or subprocess.PIPE
        return subprocess.Popen(command, env=environment(settings), stdout=stream, stderr=stream)
    return Forked(MAIN, command, environment(settings), output)


@contextmanager
def running_projector(settings: Mapping[str, str], port: int = 0, afresh: bool = False) -> Iterator[Projector]:
    """Start `projector run` as `start` does, with its sidecar at `port`, or a free one; at the end it is killed if it
    still runs, and its log is shown if a test failed."""
    port = port or free_port()
    with TemporaryDirectory() as home:
        log = Path(home) / "log"
        with log.open("wb") as output:
            place = {"HTTP_HOST": "127.0.0.1", "HTTP_PORT": str(port)}
            process = start("run", settings=place | dict(settings), output=output, afresh=afresh)
        projector = Projector(process, port, log)
        try:
            yield projector
        except BaseException:
            print(projector.logged()[-5000:])  # noqa: T201  pytest shows it with the failure
            raise
        finally:
            if process.poll() is None:
                projector.kill()


def command(
    *words: str, settings: Mapping[str, str], timeout: float = 60, afresh: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run `projector` with these words to its end, as `start` does."""
    process = start(*words, settings=settings, afresh=afresh)
    try:
        out, err = process.communicate(timeout=timeout)
    except BaseException:
        process.kill()
        process.wait()
        raise
    assert process.returncode is not None
    return subprocess.CompletedProcess(process.args, process.returncode, out.decode(), err.decode())


def eventually(what: str, check: Any, seconds: float = 30) -> Any:
    """Ask `check` until it returns something true; AssertionError names `what` it waited for."""
    deadline = time.monotonic() + seconds
    while not (answer := check()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)
    return answer
