"""A real Prometheus with the project's own rules, which scrapes and evaluates every second."""

import json
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
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
    """It listens on `port`, and scrapes who is named in the file `targets`."""

    port: int
    targets: Path

    def watch(self, *ports: int) -> None:
        """From now on it scrapes these sidecars, and no other."""
        fresh = self.targets.with_suffix(".new")
        fresh.write_text(json.dumps([{"targets": [f"127.0.0.1:{port}" for port in ports]}]))
        fresh.rename(self.targets)

    def ask(self, path: str, **query: str) -> Any:
        """The `data` of an answer of its HTTP API."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def alerts(self) -> set[tuple[str, str, str]]:
        """Of each alert that is pending or firing: its name, its severity, and which of the two it is."""
        found = self.ask("alerts")["alerts"]
        return {(one["labels"]["alertname"], one["labels"]["severity"], one["state"]) for one in found}

    def history(self, since: float) -> list[set[tuple[str, str, str]]]:
        """What `alerts` would have said each second since this Unix time, where there was any."""
        found = dict[float, set[tuple[str, str, str]]]()
        for one in self.ask("query_range", query="ALERTS", start=str(since), end=str(time.time() + 2), step=EVERY)[
            "result"
        ]:
            alert = tuple(one["metric"][label] for label in ("alertname", "severity", "alertstate"))
            for moment, _ in one["values"]:
                found.setdefault(moment, set()).add(alert)
        return [found[moment] for moment in sorted(found)]

    def values(self, query: str) -> list[float]:
        """The values of all series of an instant query; none while it does not answer yet."""
        try:
            return [float(one["value"][1]) for one in self.ask("query", query=query)["result"]]
        except OSError:
            return []


@contextmanager
def prometheus(
    home: Path,
    *targets: int,
    every: str = EVERY,
    rules: Sequence[str] = RULES,
    alertmanager: int | None = None,
    options: Sequence[str] = (),
) -> Iterator[Prometheus]:
    """One that scrapes the sidecars on the ports `targets`, and keeps its data in `home`; `options` are further ones.

    It tells the alertmanager on that port. RuntimeError where Prometheus is not installed.
    """
    if shutil.which("prometheus") is None:
        raise RuntimeError("no prometheus: the tests of alerts need it (apt-get install prometheus)")
    one = Prometheus(free_port(), home / "targets.json")
    one.watch(*targets)
    config = home / "prometheus.json"
    config.write_text(json.dumps(settings(one.targets, every, rules, alertmanager)))
    own = (f"--config.file={config}", f"--storage.tsdb.path={home}", f"--web.listen-address=127.0.0.1:{one.port}")
    with running(["prometheus", *own, *options], home / "prometheus.log"):
        yield one


def at_once(home: Path) -> list[str]:
    """The project's rules in `home`, changed in one point: what must last for minutes must last for two seconds, and
    ends when it is over. What must last for hours stays."""
    copies = []
    for original in map(Path, RULES):
        rules = original.read_text()
        if original.name == "alerts.yml":
            rules = re.sub(r"^( +for: )\d+m$", r"\g<1>2s", rules, flags=re.MULTILINE)
            rules = re.sub(r"^( +keep_firing_for: )\d+m$", r"\g<1>0s", rules, flags=re.MULTILINE)
        copies.append(home / original.name)
        copies[-1].write_text(rules)
    return [str(copy) for copy in copies]


def settings(targets: Path, every: str, rules: Sequence[str], alertmanager: int | None) -> dict[str, Any]:
    """What stands in its file."""
    job = {"job_name": "projector", "file_sd_configs": [{"files": [str(targets)]}]}
    pace = {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every}
    told = [] if alertmanager is None else [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]
    return {
        "global": pace, "rule_files": [*rules], "scrape_configs": [job], "alerting": {"alertmanagers": told}
    }  # fmt: skip


@contextmanager
def running(command: Sequence[str], log: Path) -> Iterator[None]:
    """Within, the program runs; it is stopped at the end."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
