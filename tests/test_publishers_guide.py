"""What docs/publishing.md shows in Python runs, with a publisher's own code beside it."""

import ast
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from neon_projector.projections import assert_projectable
from tests.support.documents import ROOT, blocks

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
    examples = blocks(section, "python")
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


@pytest.mark.parametrize("example", ["with_aiokafka.py", "with_confluent_kafka.py"])
def test_an_object_of_their_own_becomes_an_event_by_the_functions_of_an_example(example: str) -> None:
    section = (ROOT / "docs" / "publishing.md").read_text().partition("\n## From your own objects\n")[2]
    (theirs,) = blocks(section.partition("\n## ")[0], "python")
    names: dict[str, Any] = {"dataclass": dataclass, "__name__": __name__}
    exec(functions_of(example), names)
    exec(theirs, names)
    at, later = datetime(2026, 11, 22, 12), datetime(2026, 11, 23, 12)  # noqa: DTZ001  as their database has them
    first = names["Customer"](42, "ada@example.com", None, blocked=False, created=at, changed=at, lock_version=0)
    third = names["Customer"](42, "ada@example.com", "Ada", blocked=True, created=at, changed=later, lock_version=2)
    tables = assert_projectable([names["customer_event"](one) for one in (first, third)], strict=True)
    assert tables["users"] == [
        {
            "id": UUID(names["entity_id"]("user", 42)), "email": "ada@example.com", "name": "Ada", "is_active": False,
            "created_at": at.replace(tzinfo=UTC), "updated_at": later.replace(tzinfo=UTC), "version": 3,
        }
    ]  # fmt: skip


def functions_of(example: str) -> str:
    """The example without what it does: its imports, constants and functions."""
    tree = ast.parse((ROOT / "docs" / "examples" / "python" / example).read_text())
    kept = [one for one in tree.body if isinstance(one, ast.Import | ast.ImportFrom | ast.FunctionDef)]
    constants = [one for one in tree.body if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]).isupper()]
    return ast.unparse(ast.Module([*kept, *constants], []))
