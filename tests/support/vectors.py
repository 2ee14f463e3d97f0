"""The golden vectors of the contract: what each record must become, for a checker in any language.

`make docs` writes them to docs/contract/vectors; docs/contract/vectors/README.md has their form.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Event, Ignored, Rejection
from neon_projector.projections.registry import REGISTRY
from neon_projector.projections.state.fold import Folded, fold
from tests.support.factories import ARecord
from tests.support.good_records import AFTERWARDS, GOOD_RECORDS
from tests.support.mistaken_records import ALL_BAD_RECORDS

FOLDER = Path(__file__).parents[2] / "docs" / "contract" / "vectors"
Line = dict[str, Any]
_RUN = re.compile(rb"(.)\1{63,}", re.DOTALL)
"""A longer row of one byte is written as that byte and a number."""


class Became(NamedTuple):
    """What a record becomes: outcome, and for a rejected one the reason and the sentence."""

    outcome: str
    reason: str | None = None
    error: str | None = None


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


def becomes(record: ARecord, before: Iterable[ARecord] = ()) -> Became:
    """What `record` becomes where the tables hold nothing but what `before` made of them."""
    decode = Decoder(REGISTRY)
    decoded = decode(record)
    if isinstance(decoded, Ignored):
        return Became("ignored")
    if isinstance(decoded, Rejection):
        return Became("rejected", decoded.reason.value, decoded.error)
    earlier = [event for event in map(decode, before) if isinstance(event, Event)]
    folded = _folded(earlier, decoded)
    if folded.rejected:
        return Became("rejected", folded.rejected[-1].reason.value, folded.rejected[-1].error)
    owners = {event.id for event in earlier if event.entity == "user"}
    fields = None if folded.state is None else folded.state.fields
    if folded.parked or (fields is not None and decoded.entity == "document" and fields["user_id"] not in owners):
        return Became("parked")
    return Became("superseded" if folded.superseded else "applied")


def _folded(earlier: Iterable[Event], event: Event) -> Folded:
    before = fold(None, (), [one for one in earlier if one.id == event.id])
    return fold(before.state, before.parked, [event])


def read(vector: Line) -> ARecord:
    """The record of a vector, or of one line of its `before`."""
    headers = tuple((_name(name), _bytes(value)) for name, value in vector["headers"])
    return ARecord(_bytes(vector["value"]), _bytes(vector["key"]), headers)


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


def _name(part: Any) -> str:
    return (_bytes(part) or b"").decode("utf-8", "surrogateescape")


def _bytes(part: Any) -> bytes | None:
    if part is None:
        return None
    if isinstance(part, str):
        return part.encode()
    if "base64" in part:
        return base64.b64decode(part["base64"])
    return b"".join(text.encode() * number for text, number in part["repeat"])


def text(lines: Iterable[Line]) -> str:
    """The lines of a file."""
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in lines)


if __name__ == "__main__":
    for name, vectors in files().items():
        (FOLDER / name).write_text(text(vectors))
