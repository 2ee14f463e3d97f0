"""The service itself, as operators run it: `projector run` in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neon_projector.consumer.demo.errors import DemoFailed
from neon_projector.consumer.demo.servers.ports import free_port
from neon_projector.consumer.environment import FILE_SUFFIX
from neon_projector.consumer.settings import Settings
from neon_projector.projections.registry import REGISTRY

COMMAND = (sys.executable, "-c", "from neon_projector.consumer.entry import main; main()", "run")
STOP_SECONDS = 15.0


@dataclass
class RunningProjector:
    """A running service; `url` is its sidecar's address."""

    process: "subprocess.Popen[bytes]"
    url: str
    log: Path

    def status(self) -> dict[str, Any]:
        """What `/status` says; empty while the sidecar does not answer. DemoFailed where the service has ended."""
        self.check()
        try:
            with urllib.request.urlopen(f"{self.url}/status", timeout=5) as answer:  # noqa: S310  our own http://
                body: dict[str, Any] = json.load(answer)
                return body
        except OSError:
            return {}

    def check(self) -> None:
        """DemoFailed where the service has ended, with its last word."""
        if (status := self.process.poll()) is not None:
            lines = self.log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
            raise DemoFailed(f"the service has ended by itself with exit status {status}: {lines[-1]}")

    def stop(self) -> int:
        """SIGTERM, and the exit status; killed where that takes longer than STOP_SECONDS."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


@contextmanager
def running_projector(database_url: str, bootstrap: str) -> Iterator[RunningProjector]:
    """Start `projector run` with its sidecar on a free loopback port; stop it at the end."""
    port = free_port()
    settings = {
        "NEON_DATABASE_URL": database_url,
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
        "HTTP_HOST": "127.0.0.1",
        "HTTP_PORT": str(port),
        "LOG_FORMAT": "text",
    }
    with tempfile.TemporaryDirectory(prefix="projector-service-") as home, Path(home, "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  our own arguments
            COMMAND,
            env={**_foreign_environment(), **settings},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # a terminal's Ctrl-C is the demo's to handle
        )
        projector = RunningProjector(process, f"http://127.0.0.1:{port}", Path(home, "log"))
        try:
            yield projector
        finally:
            projector.stop()


def _foreign_environment() -> dict[str, str]:
    """The environment without the service's settings: those of the person who runs the demo are not for it."""
    ours = {name.upper() for name in Settings.model_fields} | {p.topic_setting for p in REGISTRY}
    ours |= {name + FILE_SUFFIX for name in ours}
    return {name: value for name, value in os.environ.items() if name not in ours}
