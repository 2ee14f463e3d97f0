"""Runs one of the project's commands as a process, and watches what it takes."""

import subprocess
import threading
import time
from dataclasses import dataclass
from typing import Any

import orjson

from bench.processes import cpu_seconds, peak_megabytes
from tests.support.projector import PROJECTOR, environment

LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Ran:
    """What it printed with --json; seconds from start to end; seconds of CPU and megabytes at the last look."""

    told: dict[str, Any]
    seconds: float
    cpu: float
    peak_megabytes: int

    @property
    def found(self) -> dict[str, Any]:
        """Of what it printed: what it found and healed, and how long the service waited for that."""
        return {name: self.told[name] for name in ("verdict", "differing", "healed", "waited") if name in self.told}


def run(settings: dict[str, str], *words: str, directory: str | None = None) -> Ran:
    """Run `projector` with these words and --json, in `directory`."""
    began, peak, used = time.monotonic(), 0.0, 0.0
    process = subprocess.Popen(
        [PROJECTOR, *words, "--json"], env=environment(settings), stdout=subprocess.PIPE, cwd=directory
    )

    def watch() -> None:
        nonlocal peak, used
        while process.poll() is None:
            try:
                peak, used = peak_megabytes(process.pid), cpu_seconds([process.pid])
            except (OSError, StopIteration, ValueError):  # it has just ended
                return
            time.sleep(LOOK_SECONDS)

    watching = threading.Thread(target=watch)
    watching.start()
    told, _ = process.communicate()
    seconds = time.monotonic() - began
    watching.join()
    return Ran(orjson.loads(told), seconds, used, int(peak))
