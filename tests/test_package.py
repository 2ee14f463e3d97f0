"""What is installed is whole: an installed wheel can migrate a database and runs from anywhere."""

import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent


def test_a_wheel_carries_the_four_packages_and_every_migration(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    carried = set(ZipFile(wheel).namelist())
    here = {path.relative_to(ROOT).as_posix() for path in (ROOT / "migrations").rglob("*.py")}
    assert here | {"migrations/script.py.mako"} <= carried
    tops = {name.split("/")[0] for name in carried if ".dist-info" not in name}
    assert tops == {"consumer", "projections", "models", "migrations"}


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-runtime.lock", "requirements-build.lock"])
def test_the_locks_name_every_dependency_with_a_hash_and_no_registry(name: str) -> None:
    assert len(blocks(name)) > 5
    assert all("--hash=sha256:" in block for block in blocks(name))
    assert "://" not in (ROOT / name).read_text()


@pytest.mark.parametrize("name", ["requirements-runtime.lock", "requirements-build.lock"])
def test_the_image_is_made_of_what_is_tested(name: str) -> None:
    assert set(blocks(name)) <= set(blocks("requirements.lock"))


def test_the_image_gets_what_the_service_needs_to_run_and_no_more() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = [Requirement(block.partition("--hash")[0]) for block in blocks("requirements-runtime.lock")]
    here = {canonicalize_name(r.name) for r in locked if r.marker is None or r.marker.evaluate()}
    assert here == needed(project["dependencies"])


def blocks(name: str) -> list[str]:
    """The lines of a lock, each with its hashes."""
    return (ROOT / name).read_text().replace("\\\n", "").splitlines()


def needed(dependencies: list[str]) -> set[str]:
    """The names of `dependencies` and of all that they need in turn, as installed."""
    known: set[str] = set()
    asked: set[tuple[str, str]] = set()
    queue = [Requirement(dependency) for dependency in dependencies]
    while queue:
        requirement = queue.pop()
        known.add(canonicalize_name(requirement.name))
        for extra in ("", *requirement.extras):
            if (requirement.name, extra) not in asked:
                asked.add((requirement.name, extra))
                needs = map(Requirement, distribution(requirement.name).requires or [])
                queue += [need for need in needs if need.marker is None or need.marker.evaluate({"extra": extra})]
    return known
