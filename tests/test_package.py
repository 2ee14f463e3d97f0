"""What is installed is whole: an installed wheel can migrate a database and runs from anywhere."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

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


def test_the_lock_names_every_dependency_with_a_hash_and_no_registry() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    blocks = lock.replace("\\\n", "").splitlines()
    assert len(blocks) > 30
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in lock
