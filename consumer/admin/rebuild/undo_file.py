"""The undo file: what was there before an entity was healed, as JSON lines. Only its owner can read it: it has content.

A line is written, and is on disk for certain, before the transaction that heals is committed. So a line may be of what
was never committed, or be there twice: `after` tells which one holds. The last line may be cut off.
"""

import os
from array import array
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from neon_projector.consumer.errors import FatalError, Refused

FORGOTTEN = "forgotten"
"""Stands in a line in the place of `before` where `projector forget` has erased that."""


def ensure_writable(path: Path) -> None:
    """Refused where a new file can't be made there."""
    if path.exists():
        raise Refused(f"{path} is there already: --undo names a new file")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise Refused(f"{path.parent} can't be written to: --undo FILE names another place for what was there before")


def line_of(entity: str, entity_id: UUID, before: Mapping[str, Any], after: bytes, mark: str) -> bytes:
    """`before` is the row, the state and the parked events as JSON texts; `after` stands for what healing left; `mark`
    is the operation's."""
    body = {name: None if value is None else orjson.Fragment(value) for name, value in before.items()}
    line = {"entity": entity, "id": str(entity_id), "after": after.hex(), "rebuild": mark, "before": body}
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


class UndoFile:
    """Written by one rebuild; made with its first lines. FatalError where the disk does not take them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None

    def write(self, lines: Sequence[bytes]) -> None:
        """When it returns, the lines are on disk."""
        if not lines:
            return
        try:
            if self._file is None:
                self._file = self._open()
            data = b"".join(lines)
            while data:
                data = data[os.write(self._file, data) :]
            os.fdatasync(self._file)
        except OSError as error:
            raise FatalError(f"{self.path} can't be written ({error.strerror}): nothing more is changed") from None

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> int:
        """Behind the last whole line."""
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        os.ftruncate(file, _whole(self.path))
        directory = os.open(self.path.parent, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)
        return file


class UndoLines:
    """The whole lines of a file, for reading. Refused where it can't be read, or where one is no such line: before
    anything is put back, as the last line comes first. `entities` are those that there are."""

    def __init__(self, path: Path, entities: Container[str]) -> None:
        self.path, self._ends = path, array("q", [0])
        self.marks = set[str]()
        """Of the operations that wrote it. An older version wrote none."""
        try:
            self._file = path.open("rb")
            for line in self._file:
                if line.endswith(b"\n"):
                    self._ends.append(self._ends[-1] + len(line))
                    self._check(self._read(line), entities)
        except OSError as error:
            raise Refused(f"{path} can't be read ({error.strerror})") from None

    def ensure(self, left: int) -> None:
        """Refused where there are not so many: it is not the file of before."""
        if left > len(self):
            raise Refused(f"{self.path} has become shorter: {left:,} of its lines are still to be put back")

    def __enter__(self) -> "UndoLines":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> dict[str, Any]:
        """`entity`, `id`, `after`, `before`."""
        start, end = self._ends[number], self._ends[number + 1]
        return self._read(os.pread(self._file.fileno(), end - start, start))

    def _read(self, data: bytes) -> dict[str, Any]:
        try:
            line: dict[str, Any] = orjson.loads(data)
            line |= {"id": UUID(line["id"]), "after": bytes.fromhex(line["after"])}
            line |= {"entity": line["entity"], "before": line["before"]}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise self._wrong() from None
        return line

    def _check(self, line: Mapping[str, Any], entities: Container[str]) -> None:
        """What was there before must be of the entity itself: else another one would be written."""
        entity, own, before = line["entity"], str(line["id"]), line["before"]
        self.marks |= {str(line["rebuild"])} if "rebuild" in line else set()
        if not isinstance(entity, str) or entity not in entities:
            raise self._wrong()
        if before == FORGOTTEN:
            return
        if not isinstance(before, dict) or before.keys() != {"row", "state", "events"}:
            raise self._wrong()
        row, state, events = before["row"], before["state"], before["events"]
        parts = [(row, {"id": own}), (state, {"entity": entity, "id": own})]
        if events is not None and not isinstance(events, list):
            raise self._wrong()
        parts += [(event, {"entity": entity, "entity_id": own}) for event in events or ()]
        for part, wanted in parts:
            if part is not None and not (isinstance(part, dict) and wanted.items() <= part.items()):
                raise self._wrong()

    def _wrong(self) -> Refused:
        return Refused(f"{self.path} is no undo file of `projector rebuild`, see line {len(self)}")


def _whole(path: Path) -> int:
    """How many bytes its whole lines have."""
    with path.open("rb") as file:
        return sum(len(line) for line in file if line.endswith(b"\n"))
