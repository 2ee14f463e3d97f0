"""docs/examples/outbox/poller.py as processes."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.outbox.source import EXAMPLES
from tests.support.projector import environment
from tests.support.world import World

POLLER = EXAMPLES / "poller.py"


@dataclass
class Pollers:
    """Those that run, each in its place; they write into one log."""

    settings: dict[str, str]
    log: Path
    running: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self) -> None:
        with self.log.open("ab") as output:
            command = [sys.executable, str(POLLER)]
            self.running.append(
                subprocess.Popen(command, env=environment({**self.settings}), stdout=output, stderr=output)
            )

    def kill_one(self) -> None:
        """With -9, the one that has run for longest."""
        process = self.running.pop(0)
        assert process.poll() is None, self.log.read_text()[-3000:]
        process.kill()
        process.wait()


@contextmanager
def pollers(url: str, world: World, number: int = 2) -> Iterator[Pollers]:
    """So many pollers of the outbox at `url`; killed at the end."""
    settings = {"DATABASE_URL": url, "EVENT_SOURCE": "/source", "KAFKA_BOOTSTRAP_SERVERS": world.bootstrap}
    with TemporaryDirectory() as home:
        own = Pollers(settings, Path(home) / "log")
        try:
            for _ in range(number):
                own.start()
            yield own
        finally:
            for process in own.running:
                process.kill()
                process.wait()
