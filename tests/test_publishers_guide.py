"""What docs/publishing.md shows of the testing kit is Python that runs, with a publisher's own code beside it."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.documents import ROOT

THEIRS = """
import json, pytest
from types import SimpleNamespace

def signing_up(email):
    data = {"id": "11111111-1111-4111-8111-111111111111", "version": 1, "email": email, "name": "Ada"}
    return [{"specversion": "1.0", "id": "1", "source": "/t", "type": "user.created", "time": "2026-11-22T12:00:00Z",
             "data": data}]

def welcome_record():
    return SimpleNamespace(key=None, headers=[], value=json.dumps(signing_up("eve@example.com")[0]).encode())

def our_checker(record):
    bad = [problem.reason for problem in projections.check(*record[:3]) if not problem.warning]
    return bad[0] if bad else None
"""


def test_the_examples_of_the_kit_run(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "publishing.md").read_text()
    section = guide.partition("\n## Test your own events\n")[2].partition("\n## ")[0]
    examples = re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    (tmp_path / "test_theirs.py").write_text("\n\n".join([THEIRS, *examples]))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:asyncio", "-p", "no:cacheprovider"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert len(examples) == 2
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.findall(r"(\d+) passed", done.stdout)[0]) > 200
