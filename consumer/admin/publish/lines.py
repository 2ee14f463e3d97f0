"""The records of a file of JSON lines: events in structured form, or dead letters as they were exported."""

import errno
import os
import shutil
import sys
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import orjson

from neon_projector.consumer.admin.publish.letter_line import is_letter, record_of_letter
from neon_projector.projections.checking.given import Given
from neon_projector.projections.checking.problem import Problem
from neon_projector.projections.contract.record import Record

STDIN = "-"
STRUCTURED = (("content-type", b"application/cloudevents+json"),)


class NotLines(ValueError):
    """The file has no events on lines of their own."""


def opened(name: str) -> IO[bytes]:
    """The file, or standard input (`-`); a pipe is kept on disk: it is read twice. OSError where it can't be read."""
    if name == STDIN and sys.stdin is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    given = sys.stdin.buffer if name == STDIN else Path(name).open("rb")  # noqa: SIM115  whoever opens it closes it
    if name != STDIN and given.seekable():
        return given
    kept = TemporaryFile()  # noqa: SIM115
    shutil.copyfileobj(given, kept)
    if name != STDIN:
        given.close()
    return kept


def records_of(file: IO[bytes]) -> Iterator[tuple[int, Record | Problem]]:
    """Each line that is not empty, with its number, the first is 1: its record, or why there is none in it.

    NotLines where an event stands on several lines.
    """
    file.seek(0)
    first = True
    for number, line in enumerate(file, 1):
        text = line.strip(b" \t\r\n")
        if first and text.removeprefix(BOM_UTF8) in (b"{", b"["):
            raise NotLines("each event on a line of its own, one on several lines came; `jq -c .` writes it so")
        if text:
            first = False
            yield number, _record(number, text)


def _record(number: int, text: bytes) -> Record | Problem:
    letter = _parsed(text)
    return record_of_letter(number, letter) if is_letter(letter) else Given(text, STRUCTURED)


def _parsed(text: bytes) -> Any:
    if b'"value_length"' not in text:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
