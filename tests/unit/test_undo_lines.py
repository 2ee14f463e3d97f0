"""An undo file that somebody has edited or cut is refused before anything is put back."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from neon_projector.consumer.admin.rebuild.undo_file import FORGOTTEN, UndoLines
from neon_projector.consumer.cli.streams import absolute
from neon_projector.consumer.errors import Refused

ENTITIES = {"user", "document"}
ID, OTHER = UUID(int=7), UUID(int=8)
OF_IT: dict[str, Any] = {"entity": "user", "id": str(ID)}
PARKED = {"entity": "user", "entity_id": str(ID), "version": 3}
GOOD = [
    {"row": {"id": str(ID), "version": 1}, "state": None, "events": None},
    {"row": None, "state": {**OF_IT, "version": 1}, "events": [PARKED]},
    FORGOTTEN,
]
BAD: dict[str, Any] = {
    "no object": 5,
    "nothing before": {"before": None},
    "an empty before": {"before": {}},
    "a part is gone": {"before": {"row": None, "state": None}},
    "a row without an id": {"before": {"row": {"version": 1}, "state": None, "events": None}},
    "another's row": {"before": {"row": {"id": str(OTHER)}, "state": None, "events": None}},
    "another's state": {"before": {"row": None, "state": OF_IT | {"id": str(OTHER)}, "events": None}},
    "another's event": {"before": {"row": None, "state": None, "events": [PARKED | {"entity": "document"}]}},
    "events that are no list": {"before": {"row": None, "state": None, "events": PARKED}},
    "a row that is a text": {"before": {"row": "x", "state": None, "events": None}},
    "an entity that is not known": {"entity": "order"},
    "an entity that is no text": {"entity": ["user"]},
    "an id that is none": {"id": "x"},
    "after that is no hash": {"after": 5},
}


def line(**other: Any) -> bytes:
    return orjson.dumps(OF_IT | {"after": "00ff", "before": GOOD[0]} | other) + b"\n"


@pytest.mark.parametrize("wrong", BAD)
def test_a_wrong_line_is_named(wrong: str, tmp_path: Path) -> None:
    path, own = tmp_path / "undo", BAD[wrong]
    path.write_bytes(line() + (line(**own) if isinstance(own, dict) else b"5\n") + line())
    with pytest.raises(Refused, match="see line 2"):
        UndoLines(path, ENTITIES)


@pytest.mark.parametrize("cut", [b"\n", b'{"entity":"user"\n'], ids=["empty", "cut off"])
def test_a_line_that_was_cut_is_named_where_it_is_not_the_last(cut: bytes, tmp_path: Path) -> None:
    path = tmp_path / "undo"
    path.write_bytes(line() + cut + line())
    with pytest.raises(Refused, match="see line 2"):
        UndoLines(path, ENTITIES)
    path.write_bytes(line() + cut[:-1])
    with UndoLines(path, ENTITIES) as lines:
        assert len(lines) == 1


def test_what_a_rebuild_has_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "undo"
    path.write_bytes(b"".join(line(before=before) for before in GOOD))
    with UndoLines(path, ENTITIES) as lines:
        assert [lines[n]["before"] for n in range(3)] == GOOD
        assert (lines[0]["id"], lines[0]["after"]) == (ID, b"\x00\xff")
        lines.ensure(3)
        with pytest.raises(Refused, match="shorter"):
            lines.ensure(4)


def test_no_file_and_a_directory_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / str(uuid4())):
        with pytest.raises(Refused, match="can't be read"):
            UndoLines(path, ENTITIES)


def test_a_directory_that_was_deleted_under_the_shell_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "here").rmdir()
    assert absolute(tmp_path) == tmp_path
    with pytest.raises(Refused, match="was deleted"):
        absolute(Path("rebuild-1.undo.jsonl"))
