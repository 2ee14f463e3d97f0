"""The tolerant schema says of each golden vector the same in Python (jsonschema), JavaScript (ajv) and Java
(networknt), and what it says goes together with the outcome in the vector."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from neon_projector.projections import Vector, vectors
from neon_projector.projections.contract.outcome import Reason
from neon_projector.projections.publishing.unsaid import REASONS
from tests.support.examples import packages
from tests.support.kafka import jars
from tests.support.vectors import FOLDER
from tests.unit.test_contract_agrees import parsed, tolerant

VECTORS = vectors()
HERE = Path(__file__).parents[1] / "support" / "checkers"
SCHEMA = FOLDER.parent / "events.tolerant.json"
FILES = [str(file) for file in sorted(FOLDER.glob("*.jsonl"))]
OF_BYTES = {Reason.INVALID_JSON, Reason.TOO_LARGE}
"""Of such records parsers of JSON think differently; no schema is asked."""
ROUNDED = {"by_node": {"user_deleted: version 9223372036854775808"}}
"""What a language can't tell: JavaScript has no whole number that is larger than 2^53 by one."""
Verdicts = dict[str, str]


def by_node(folder: Path) -> Verdicts:
    (folder / "node_modules").symlink_to(packages(HERE / "node") / "node_modules")
    script = folder / "check.js"
    for name in ("check.js", "package.json"):
        (folder / name).write_text((HERE / "node" / name).read_text())
    return verdicts("node", str(script))


def by_java(_: Path) -> Verdicts:
    needed = f"{jars(HERE / 'java' / 'pom.xml')}/*"
    return verdicts("java", "-XX:TieredStopAtLevel=1", "-cp", needed, str(HERE / "java" / "CheckVectors.java"))


def by_python() -> Verdicts:
    return {vector.name: _verdict(vector) for vector in VECTORS}


def _verdict(vector: Vector) -> str:
    if (event := parsed(vector.record)) is ...:
        return "no JSON"
    return "accepted" if tolerant.accepts(event) else "refused"


def verdicts(*command: str) -> Verdicts:
    """What a checker prints, by the vectors' names."""
    done = subprocess.run([*command, str(SCHEMA), *FILES], capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr[-2000:]
    said = map(json.loads, done.stdout.splitlines())
    return {name: verdict.replace("not structured", "no JSON") for name, verdict in said}


@pytest.mark.parametrize("checker", [by_node, by_java])
def test_the_schema_says_the_same_in_each_language(checker: Callable[[Path], Verdicts], tmp_path: Path) -> None:
    theirs, ours = checker(tmp_path), by_python()
    assert theirs.keys() == ours.keys()
    of_bytes = {vector.name for vector in VECTORS if vector.expected.reason in OF_BYTES}
    assert {name for name in ours.keys() - of_bytes if ours[name] != theirs[name]} == ROUNDED.get(
        checker.__name__, set()
    )


def test_what_the_schema_says_goes_together_with_the_outcome() -> None:
    said = by_python()
    for vector in VECTORS:
        if said[vector.name] == "refused":
            assert vector.expected.outcome == "rejected", vector.name
        elif said[vector.name] == "accepted" and vector.expected.outcome == "rejected":
            assert vector.expected.reason in REASONS, vector.name
    assert min(list(said.values()).count(verdict) for verdict in ("accepted", "refused")) > 40
