"""A real Prometheus with the project's own rules, which scrapes and evaluates every second."""

import json
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neon_projector.consumer.demo.servers.ports import free_port
from tests.support.documents import ROOT

RULES = [str(ROOT / "monitoring" / name) for name in ("recording.yml", "alerts.yml")]
EVERY = "1s"
STOP_SECONDS = 10


@dataclass
class Prometheus:
    """It listens on `port`."""

    port: int

    def ask(self, path: str, **query: str) -> Any:
        """The `data` of an answer of its HTTP API."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def alerts(self) -> set[tuple[str, str, str]]:
        """Of each alert that is pending or firing: its name, its severity, and which of the two it is."""
        found = self.ask("alerts")["alerts"]
        return {(one["labels"]["alertname"], one["labels"]["severity"], one["state"]) for one in found}

    def values(self, query: str) -> list[float]:
        """The values of all series of an instant query; none while it does not answer yet."""
        try:
            return [float(one["value"][1]) for one in self.ask("query", query=query)["result"]]
        except OSError:
            return []


@contextmanager
def prometheus(home: Path, target: int) -> Iterator[Prometheus]:
    """One that scrapes the sidecar on the port `target`; RuntimeError where it is not installed."""
    if shutil.which("prometheus") is None:
        raise RuntimeError("no prometheus: the tests of alerts need it (apt-get install prometheus)")
    job = {"job_name": "projector", "static_configs": [{"targets": [f"127.0.0.1:{target}"]}]}
    pace = {"scrape_interval": EVERY, "scrape_timeout": EVERY, "evaluation_interval": EVERY}
    config = home / "prometheus.json"
    config.write_text(json.dumps({"global": pace, "rule_files": RULES, "scrape_configs": [job]}))
    one = Prometheus(free_port())
    options = (f"--config.file={config}", f"--storage.tsdb.path={home}", f"--web.listen-address=127.0.0.1:{one.port}")
    with (home / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(["prometheus", *options], stdout=log, stderr=log)
    try:
        yield one
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
