"""docs/adding-an-entity.md, written from the files of this folder (`make docs`), and put into a copy of the source."""

import re
import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns

from neon_projector.consumer.schema.migrate import newest_revision
from tests.support.documents import ROOT, blocks

GUIDE = ROOT / "docs" / "adding-an-entity.md"
_FILE = re.compile(r"<!-- (?P<path>\S+) from (?P<source>\S+) -->\n```python\n(?P<text>.*?)```\n", re.DOTALL)
PACKAGES = ("consumer", "projections", "models", "migrations")


def written(guide: str) -> str:
    """The guide, with the files as they are today."""

    def block(found: re.Match[str]) -> str:
        source = found["source"]
        return f"<!-- {found['path']} from {source} -->\n```python\n{_as_in_the_product(ROOT / source)}```\n"

    return _FILE.sub(block, guide)


def put_into(copy: Path) -> None:
    """Copy the source to `copy`, and do there what the guide says. CalledProcessError where a diff does not fit."""
    guide = GUIDE.read_text()
    package = copy / "neon_projector"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text((ROOT / "neon_projector" / "__init__.py").read_text())
    for name in PACKAGES:
        copytree(ROOT / name, package / name, ignore=ignore_patterns("__pycache__"))
    for found in _FILE.finditer(guide):
        path = found["path"] if found["path"] != "migration" else f"migrations/versions/{_next()}_comments.py"
        (package / path).write_text(found["text"])
    for diff in blocks(guide, "diff"):
        subprocess.run(["git", "apply", "-"], input=diff, text=True, cwd=package, check=True, capture_output=True)


def _as_in_the_product(source: Path) -> str:
    text = source.read_text().replace("tests.support.comments.model", "neon_projector.models.comment")
    lines = text.replace("NEXT", _next()).replace("NEWEST", newest_revision()).splitlines(keepends=True)
    ours = [at for at, line in enumerate(lines) if line.startswith("from neon_projector.")]
    if ours:  # in the order that the linter asks for
        lines[ours[0] : ours[-1] + 1] = sorted(lines[at] for at in ours)
    return "".join(lines)


def _next() -> str:
    return f"{int(newest_revision()) + 1:04}"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(written(path.read_text()))
