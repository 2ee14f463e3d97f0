"""Writes docs/contract/ from the code. The rules of a version that stands there are never written over."""

import json
import sys
from pathlib import Path

from neon_projector.projections.publishing.documents import files, version_file
from neon_projector.projections.registry import CONTRACT_VERSION, REGISTRY

CHANGED = (
    "the contract's rules are no longer those of version {version} in {file}: raise CONTRACT_VERSION in "
    "projections/registry.py (docs/design.md, section 3), then `make docs`"
)


def changed_under_its_version(folder: Path) -> str | None:
    """What is wrong where the rules of today are not those that `folder` keeps of this version."""
    kept = folder / version_file(CONTRACT_VERSION)
    today = files(REGISTRY, CONTRACT_VERSION)[version_file(CONTRACT_VERSION)]
    if not kept.exists() or json.loads(kept.read_text()) == json.loads(today):
        return None
    return CHANGED.format(version=CONTRACT_VERSION, file=version_file(CONTRACT_VERSION))


def write(folder: Path) -> None:
    """Write all files. SystemExit where the rules have changed and the version has not."""
    if wrong := changed_under_its_version(folder):
        sys.exit(wrong)
    for name, text in files(REGISTRY, CONTRACT_VERSION).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
