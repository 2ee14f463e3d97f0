"""Erases entities from the undo files of rebuilds, as far as these are on this machine."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.admin.operations.operation import OPERATIONS
from neon_projector.consumer.admin.rebuild.rebuild import COMMAND
from neon_projector.consumer.admin.rebuild.undo_file import FORGOTTEN
from neon_projector.consumer.errors import FatalError

_FILES = text(f"""
    SELECT id, actor, coalesce(position ->> 'undo', position ->> 'file') AS path, position ? 'undo' AS is_made
    FROM {OPERATIONS} WHERE command = '{COMMAND}' AND position ?| ARRAY['undo', 'file'] ORDER BY id""")
"""`file` is where it will be: it is written before the first transaction that heals is committed, and that may have
failed."""


class Elsewhere(NamedTuple):
    """An undo file that is not on this machine, or was deleted: whose rebuild made it."""

    operation: int
    actor: str
    path: str


async def forget_undo(
    connection: AsyncConnection, ids: Collection[UUID], *, execute: bool
) -> tuple[int, list[Elsewhere]]:
    """Erase every line that names one of these; returns how many, and the files that can't be seen here. FatalError
    where a file can't be written."""
    lines, elsewhere = 0, list[Elsewhere]()
    for row in (await connection.execute(_FILES)).all():
        erased = _erase(Path(row.path), [str(one).encode() for one in ids], execute=execute)
        lines += erased or 0
        if erased is None and row.is_made:
            elsewhere.append(Elsewhere(row.id, row.actor, row.path))
    return lines, elsewhere


def _erase(path: Path, ids: Collection[bytes], *, execute: bool) -> int | None:
    """In its place, with spaces behind: a rebuild or an undo may have the file open. None where there is no file."""
    erased, at = 0, 0
    try:
        with path.open("r+b") as file:
            for line in file:
                start, at = at, at + len(line)
                if not any(one in line for one in ids) or (instead := _without_content(line)) == line:
                    continue
                erased += 1
                if execute:
                    os.pwrite(file.fileno(), instead, start)
            os.fsync(file.fileno())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FatalError(f"{path} can't be written ({error.strerror}); the database is not changed") from None
    return erased


def _without_content(line: bytes) -> bytes:
    """The same length. Of a line that was cut off nothing is left."""
    try:
        known = orjson.loads(line)
        head = orjson.dumps({name: known[name] for name in ("entity", "id", "after")} | {"before": FORGOTTEN})
    except (ValueError, KeyError, TypeError):
        return b" " * (len(line) - 1) + line[-1:]
    end = b"\n" if line.endswith(b"\n") else b""
    return head.ljust(len(line) - len(end)) + end
