"""What is installed is whole: an installed wheel can migrate a database and runs from anywhere."""

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
from importlib.metadata import distribution
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from neon_projector.consumer.telemetry.page.handbook import DOCUMENTS

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout."""
    return built(ROOT, "wheel", tmp_path_factory.mktemp("wheel"))


def test_a_wheel_carries_one_package_and_every_migration(wheel: Path) -> None:
    carried = set(ZipFile(wheel).namelist())
    here = {f"neon_projector/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "migrations").rglob("*.py")}
    assert here | {"neon_projector/migrations/script.py.mako", "neon_projector/py.typed"} <= carried
    assert {name.split("/")[0] for name in carried if ".dist-info" not in name} == {"neon_projector"}


def test_a_wheel_from_the_source_distribution_carries_the_same(wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(built(ROOT, "sdist", tmp_path)) as packed:
        packed.extractall(tmp_path, filter="data")
    (source,) = (path for path in tmp_path.iterdir() if path.is_dir())
    again = built(source, "wheel", tmp_path)
    assert set(ZipFile(again).namelist()) == set(ZipFile(wheel).namelist())


def test_it_lives_beside_an_application_with_modules_of_the_same_names(wheel: Path, tmp_path: Path) -> None:
    installed, application = tmp_path / "site-packages", tmp_path / "application"
    ZipFile(wheel).extractall(installed)
    (application / "models").mkdir(parents=True)
    for name in ("models/__init__.py", "consumer.py", "projections.py", "migrations.py"):
        (application / name).write_text("theirs = True\n")
    program = (
        "import consumer, migrations, models, projections, neon_projector.models\n"
        "from neon_projector.consumer.schema import migrate\n"
        "assert consumer.theirs and migrations.theirs and models.theirs and projections.theirs\n"
        "assert neon_projector.models.User.__module__ == 'neon_projector.models.user'\n"
        "print(neon_projector.__file__, migrate.newest_revision())\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        env={"PYTHONPATH": os.pathsep.join([str(application), str(installed), sysconfig.get_path("purelib")])},
        cwd=application,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(installed))


def built(source: Path, kind: str, to: Path) -> Path:
    """What hatchling makes of `source`: a `wheel` or an `sdist`, in the folder `to`."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(to)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (made,) = to.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return made


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-runtime.lock", "requirements-build.lock"])
def test_the_locks_name_every_dependency_with_a_hash_and_no_registry(name: str) -> None:
    assert len(blocks(name)) > 5
    assert all("--hash=sha256:" in block for block in blocks(name))
    assert "://" not in (ROOT / name).read_text()


@pytest.mark.parametrize("name", ["requirements-runtime.lock", "requirements-build.lock"])
def test_the_image_is_made_of_what_is_tested(name: str) -> None:
    assert set(blocks(name)) <= set(blocks("requirements.lock"))


def test_the_image_gets_what_the_service_needs_to_run_and_to_be_traced_and_no_more() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = [Requirement(block.partition("--hash")[0]) for block in blocks("requirements-runtime.lock")]
    here = {canonicalize_name(r.name) for r in locked if r.marker is None or r.marker.evaluate()}
    assert here == needed([*project["dependencies"], *project["optional-dependencies"]["otel"]])


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


PUBLISHERS_TEST = """
import json, sys
import pytest
from neon_projector import projections

BEFORE = [*sys.modules]
USER = {
    "specversion": "1.0", "id": "1", "source": "/t", "type": "user.created", "time": "2026-11-22T12:00:00Z",
    "data": {"id": "11111111-1111-4111-8111-111111111111", "version": 1, "email": "a@example.com", "name": "Ada"},
}

def test_nothing_was_imported_before_somebody_asked():
    assert "pydantic" not in BEFORE
    assert [name for name in BEFORE if name.startswith("neon_projector.")] == [
        "neon_projector.projections", "neon_projector.projections.pytest_plugin"]

def test_right(assert_projectable):
    assert [row["name"] for row in assert_projectable([USER])["users"]] == ["Ada"]
    assert projections.check(json.dumps(USER)) == []
    assert not {name.partition(".")[0] for name in sys.modules} & {"aiokafka", "asyncpg", "typer", "fastapi"}

def test_wrong(assert_projectable):
    assert_projectable([USER, USER | {"data": USER["data"] | {"version": 0}}])

@pytest.mark.parametrize("vector", projections.vectors()[:3], ids=str)
def test_vector(vector):
    vector.check()
"""


def test_the_wheel_alone_gives_publishers_the_testing_kit(wheel: Path, tmp_path: Path) -> None:
    """By its entry point, where neither a setting nor the checkout is; whoever does not use it pays no import."""
    ZipFile(wheel).extractall(tmp_path / "installed")
    (tmp_path / "test_theirs.py").write_text(PUBLISHERS_TEST)
    done = subprocess.run(
        [sys.executable, "-S", "-m", "pytest", "-v", "-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:anyio"],
        env={"PYTHONPATH": os.pathsep.join([str(tmp_path / "installed"), sysconfig.get_path("purelib")])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    outcomes = dict(re.findall(r"::(.+) (PASSED|FAILED|ERROR)", done.stdout))
    assert [name for name, outcome in outcomes.items() if outcome != "PASSED"] == ["test_wrong"], done.stdout
    assert len(outcomes) == 6
    assert "event 2: invalid_data: data.version: at least 1, 0 came" in done.stdout
    assert "Send the version + 1, for all events of the entity." in done.stdout
    assert "projectable.py" not in done.stdout  # the failure shows the publisher's own line


def test_a_wheel_carries_the_golden_vectors(wheel: Path) -> None:
    here = {path.name for path in (ROOT / "docs" / "contract" / "vectors").iterdir()}
    carried = [name for name in ZipFile(wheel).namelist() if "/golden/" in name]
    assert {f"neon_projector/projections/kit/golden/{name}" for name in here} == set(carried)
    assert len(here) == len(carried)


def test_a_wheel_carries_the_page_and_the_documents_that_it_shows(wheel: Path) -> None:
    page = "neon_projector/consumer/telemetry/page"
    here = {f"{page}/static/{path.name}" for path in (ROOT / "consumer/telemetry/page/static").iterdir()}
    with ZipFile(wheel) as archive:
        assert here <= set(archive.namelist())
        for name in DOCUMENTS:
            assert archive.read(f"{page}/documents/{name}.md") == (ROOT / "docs" / f"{name}.md").read_bytes()
