"""The golden vectors of the contract: what each record must become, for a checker in any language.

`make docs` writes them to docs/contract/vectors; docs/contract/vectors/README.md has their form.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from neon_projector.projections.kit.vectors import becomes
from tests.support.factories import ARecord
from tests.support.good_records import AFTERWARDS, GOOD_RECORDS
from tests.support.mistaken_records import ALL_BAD_RECORDS

FOLDER = Path(__file__).parents[2] / "docs" / "contract" / "vectors"
Line = dict[str, Any]
_RUN = re.compile(rb"(.)\1{63,}", re.DOTALL)
"""A longer row of one byte is written as that byte and a number."""


@cache
def files() -> dict[str, list[Line]]:
    """The vectors by file name."""
    bad = [(one.name, one.record, ()) for one in ALL_BAD_RECORDS]
    return {
        "rejected.jsonl": [line(name, record, before) for name, record, before in bad],
        "accepted.jsonl": [line(name, record, ()) for name, record in GOOD_RECORDS],
        "afterwards.jsonl": [line(name, record, before) for name, before, record in AFTERWARDS],
    }


def line(name: str, record: ARecord, before: Sequence[ARecord]) -> Line:
    """One vector."""
    became = becomes(record, before)
    said = {key: value for key, value in became._asdict().items() if value is not None}
    earlier = {"before": [_written(one) for one in before]} if before else {}
    return {"name": name, **earlier, **_written(record), **said}


def _written(record: ARecord) -> Line:
    headers = [[_text(name.encode("utf-8", "surrogateescape")), _text(value)] for name, value in record.headers]
    return {"key": _text(record.key), "headers": headers, "value": _text(record.value)}


def _text(part: bytes | None) -> Any:
    """Text as a string; other bytes in Base64; something long as what is repeated how often."""
    if part is None:
        return None
    if len(part) > 2_000:
        return {"repeat": [[text.decode(), number] for text, number in _runs(part)]}
    try:
        return part.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(part).decode()}


def _runs(part: bytes) -> Iterator[tuple[bytes, int]]:
    at = 0
    for run in _RUN.finditer(part):
        if at < run.start():
            yield part[at : run.start()], 1
        yield run[1], len(run[0])
        at = run.end()
    if at < len(part):
        yield part[at:], 1


def text(lines: Iterable[Line]) -> str:
    """The lines of a file."""
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in lines)


if __name__ == "__main__":
    for name, vectors in files().items():
        (FOLDER / name).write_text(text(vectors))
