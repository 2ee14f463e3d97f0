"""docs/adding-an-entity.md shows the files that the tests run, and its diffs fit today's source."""

import subprocess
import sys
from pathlib import Path

from tests.support.comments.guide import GUIDE, put_into, written


def test_the_guide_shows_the_files_that_run() -> None:
    assert written(GUIDE.read_text()) == GUIDE.read_text(), "make docs"


def test_what_the_guide_says_can_be_done_literally_and_consumer_stays_as_it_is(tmp_path: Path) -> None:
    put_into(tmp_path / "copy")
    changed = {
        str(path.relative_to(package))
        for package in [tmp_path / "copy" / "neon_projector"]
        for path in package.rglob("*.py")
        if not (there := GUIDE.parents[1] / path.relative_to(package)).exists()
        or ((path.name != "__init__.py" or path.parent != package) and there.read_text() != path.read_text())
    }
    migrations = {path for path in changed if path.startswith("migrations/versions/")}
    assert len(migrations) == 1
    assert changed - migrations - {"__init__.py"} == {
        "models/__init__.py", "models/comment.py", "projections/registry.py", "projections/comments.py",
    }  # fmt: skip
    new = [str(path) for path in (tmp_path / "copy").rglob("*comment*.py")]
    ruff = [str(Path(sys.executable).with_name("ruff")), "check", "--no-cache", "--config", "pyproject.toml", *new]
    done = subprocess.run(ruff, cwd=GUIDE.parents[1], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
