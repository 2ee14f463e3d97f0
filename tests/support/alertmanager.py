"""A real Alertmanager with the project's example of routes and inhibitions."""

import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neon_projector.consumer.demo.servers.ports import free_port
from tests.support.documents import ROOT
from tests.support.projector import eventually
from tests.support.prometheus import running

EXAMPLE = ROOT / "monitoring" / "alertmanager.yml"
NOBODY = "nobody"
SECONDS = 60


@dataclass(frozen=True)
class Alertmanager:
    """It listens on `port`."""

    port: int

    def ask(self, path: str, given: Any = None) -> Any:
        """An answer of its HTTP API; with `given`, that is posted."""
        body = None if given is None else json.dumps(given).encode()
        url, header = f"http://127.0.0.1:{self.port}/api/v2/{path}", {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(url, body, header), timeout=10) as answer:
            return json.loads(answer.read() or "null")

    def answers(self) -> bool:
        try:
            return bool(self.ask("status"))
        except OSError:
            return False

    def post(self, alerts: Iterable[Mapping[str, str]]) -> None:
        """Alerts that begin now, as Prometheus would send them."""
        self.ask("alerts", [{"labels": dict(labels)} for labels in alerts])

    def quiet(self) -> set[str]:
        """The names of the alerts that others inhibit."""
        return {one["labels"]["alertname"] for one in self.ask("alerts") if one["status"]["inhibitedBy"]}

    def told(self) -> set[tuple[str, str]]:
        """Of each alert that somebody is told of: its name, and the receiver."""
        return {
            (one["labels"]["alertname"], receiver["name"])
            for one in self.ask("alerts")
            for receiver in one["receivers"]
            if one["status"]["state"] == "active" and receiver["name"] != NOBODY
        }


def amtool(*arguments: str) -> str:
    """What Alertmanager's own tool has to say; fails where its exit status is not 0."""
    done = subprocess.run([_program("amtool"), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def alertmanager(home: Path) -> Iterator[Alertmanager]:
    """One that keeps its data in `home`, and answers."""
    one = Alertmanager(free_port())
    command = [
        _program("prometheus-alertmanager", "alertmanager"), f"--config.file={EXAMPLE}", f"--storage.path={home}",
        f"--web.listen-address=127.0.0.1:{one.port}", "--cluster.listen-address=",
    ]  # fmt: skip
    with running(command, home / "alertmanager.log"):
        eventually("Alertmanager answers", one.answers, SECONDS)
        yield one


def _program(*names: str) -> str:
    found = [name for name in names if shutil.which(name)]
    if not found:
        raise RuntimeError(f"no {names[0]}: tests of alerts need it (apt-get install prometheus-alertmanager)")
    return found[0]
