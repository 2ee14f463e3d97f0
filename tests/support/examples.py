"""The examples of docs/examples, made ready to run: each publishes the same story under names of its own."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.cache import cache
from tests.support.documents import ROOT
from tests.support.kafka import jars

EXAMPLES = ROOT / "docs" / "examples"
NAMES = ("aiokafka", "confluent", "java", "kafkajs", "kcat")
"""Each one's user has the address ada@NAME.example."""


def command(name: str, home: Path) -> list[str]:
    """What runs the example; TypeScript is compiled in `home` before."""
    if name == "java":
        folder = EXAMPLES / "java"
        return ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{jars(folder / 'pom.xml')}/*", str(folder / "Publish.java")]
    if name == "kafkajs":
        return ["node", str(compiled(EXAMPLES / "typescript", home) / "publish.js")]
    if name == "kcat":
        return ["bash", str(EXAMPLES / "shell" / "publish.sh")]
    return [sys.executable, str(EXAMPLES / "python" / f"with_{name.replace('confluent', 'confluent_kafka')}.py")]


def compiled(source: Path, home: Path) -> Path:
    """A copy of a TypeScript folder in `home`, with its packages, compiled."""
    folder = Path(shutil.copytree(source, home / source.name, ignore=shutil.ignore_patterns("node_modules")))
    (folder / "node_modules").symlink_to(packages(source) / "node_modules")
    _run(["node_modules/.bin/tsc"], folder)
    return folder


def packages(source: Path) -> Path:
    """A folder with the npm packages that the lock of `source` names, brought by npm once for each state of it."""
    with cache(f"npm-{source.name}", source / "package-lock.json", "npm-lock") as kept:
        if not kept.exists():
            with tempfile.TemporaryDirectory(dir=kept.parent) as fresh:
                folder = Path(shutil.copytree(source, Path(fresh, "npm")))
                _run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], folder)
                folder.rename(kept)
    return kept


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, f"{' '.join(command)}:\n{(done.stdout + done.stderr)[-2000:]}"
