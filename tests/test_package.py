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
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


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


def test_no_text_of_a_wheel_imports_by_a_name_of_the_checkout(wheel: Path) -> None:
    """Not in a string either: `python -c "from consumer import …"` works in a checkout only."""
    folders = "(?:consumer|projections|models|migrations)"
    wrong = re.compile(rf"\bfrom {folders}(?:\.\w+)* import |(?:^|['\";])\s*import {folders}\b", re.MULTILINE)
    with ZipFile(wheel) as files:
        texts = {name: files.read(name).decode() for name in files.namelist() if name.endswith(".py")}
    assert {name: found[0] for name, text in texts.items() if (found := wrong.search(text))} == {}


@pytest.mark.parametrize(
    ("extras", "kit"), [((), "the testing kit needs msgspec: pip install 'neon-projector[kit]'"), (("kit",), "[]")]
)
def test_an_application_installs_little_and_what_lacks_is_said(
    wheel: Path, tmp_path: Path, extras: tuple[str, ...], kit: str
) -> None:
    done = run_with_only(extras, wheel, tmp_path, A_READER)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{kit}\n"
    done = run_with_only(extras, wheel, tmp_path, "from neon_projector.consumer.entry import main; main()")
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"projector: \w+ is not installed: pip install 'neon-projector\[service\]'\n", done.stderr)


A_READER = """
import json, sys
import neon_projector.models, neon_projector.models.alembic, neon_projector.models.reading.sync
import neon_projector.models.engine, neon_projector.models.session, neon_projector.models.sync_engine
from neon_projector import projections

loaded = {name.partition(".")[0] for name in sys.modules}
assert not loaded & {"aiokafka", "alembic", "fastapi", "msgspec", "orjson", "typer", "uvicorn", "rich"}, loaded
user = {
    "specversion": "1.0", "id": "1", "source": "/t", "type": "user.created", "time": "2026-11-22T12:00:00Z",
    "data": {"id": "11111111-1111-4111-8111-111111111111", "version": 1, "email": "a@example.com", "name": "Ada"},
}
try:
    print(projections.check(json.dumps(user)))
except ImportError as error:
    print(error)
"""


def run_with_only(extras: tuple[str, ...], wheel: Path, folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    """A program where nothing is installed but the wheel with these extras, and all that they need in turn."""
    site = folder / "site-packages"
    if not site.exists():
        ZipFile(wheel).extractall(site)
        for name in needed([*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]):
            for top in {
                file.parts[0] for file in distribution(name).files or () if file.parts[0] not in ("..", "__pycache__")
            }:
                (site / top).symlink_to(Path(sysconfig.get_path("purelib"), top))
    return subprocess.run(
        [sys.executable, "-S", "-c", program],
        env={"PYTHONPATH": str(site)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_wheel_with_models_at_its_top_comes_and_goes_beside_ours(wheel: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs-1-py3-none-any.whl"
    with ZipFile(theirs, "w") as made:
        made.writestr("models/__init__.py", "theirs = True\n")
        made.writestr("theirs-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: theirs\nVersion: 1\n")
        made.writestr("theirs-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        made.writestr("theirs-1.dist-info/RECORD", "models/__init__.py,,\n")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    offline = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "--quiet"]

    def said(program: str) -> None:
        env = {"PYTHONPATH": sysconfig.get_path("purelib")}
        command = [python, "-c", program]
        done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    ours = "import neon_projector.models.user as ours; assert 'venv' in ours.__file__"
    subprocess.run([*offline, "install", "--no-deps", "--no-index", str(wheel), str(theirs)], check=True)
    said(f"import models; assert models.theirs; {ours}")
    subprocess.run([*offline, "uninstall", "--yes", "theirs"], check=True)
    said(ours)


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


def test_the_image_is_built_from_all_that_makes_the_wheel() -> None:
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    kept = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    sources = {*whole["only-include"], *whole["force-include"]}
    assert sources <= {name for line in copied for name in line.split()} & set(kept)


def test_the_image_gets_what_the_service_needs_to_run_and_to_be_traced_and_no_more() -> None:
    locked = [Requirement(block.partition("--hash")[0]) for block in blocks("requirements-runtime.lock")]
    here = {canonicalize_name(r.name) for r in locked if r.marker is None or r.marker.evaluate()}
    assert here == needed([*PROJECT["dependencies"], *EXTRAS["kit"], *EXTRAS["service"], *EXTRAS["otel"]])


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
        if requirement.name == "neon-projector":  # an extra that names another of ours
            continue
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
