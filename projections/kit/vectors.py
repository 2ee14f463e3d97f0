"""Golden vectors: records, and what each must become. docs/contract/vectors/README.md has their form."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from neon_projector.projections.checking.given import Given
from neon_projector.projections.contract.event import Event, Ignored, Rejection
from neon_projector.projections.contract.outcome import Outcome
from neon_projector.projections.contract.record import Record
from neon_projector.projections.kit.check import decoder
from neon_projector.projections.registry import REGISTRY
from neon_projector.projections.state.memory import Memory

GOLDEN = Path(__file__).with_name("golden")
"""The contract's own: in a checkout a link to docs/contract/vectors, and the same files in what is installed."""


class Became(NamedTuple):
    """What a record becomes: outcome, and for a rejected one the reason and the sentence."""

    outcome: str
    reason: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class Vector:
    """A record, those that come before it, and what it must become."""

    name: str
    record: Given
    before: tuple[Given, ...]
    expected: Became

    def __str__(self) -> str:
        return self.name

    def check(self) -> None:
        """AssertionError where the installed contract makes something else of the record. A vector without a sentence
        (`error`), or without a reason, leaves it open."""
        __tracebackhide__ = True
        became = becomes(self.record, self.before)
        wanted = Became(
            self.expected.outcome, self.expected.reason or became.reason, self.expected.error or became.error
        )
        if became != wanted:
            raise AssertionError(f"{self.name}: {_said(wanted)}; {_said(became)} came")


def vectors(file: str | Path | None = None) -> list[Vector]:
    """The contract's golden vectors, or those of a file in the same form. ValueError names a line that is none."""
    files = [Path(file)] if file is not None else sorted(GOLDEN.glob("*.jsonl"))
    return [_vector(one.name, n, text) for one in files for n, text in enumerate(_lines(one), 1) if text.strip()]


def becomes(record: Record, before: Iterable[Record] = ()) -> Became:
    """What `record` becomes where the tables hold nothing but what `before` made of them."""
    memory, decode = Memory(REGISTRY), decoder(REGISTRY)
    for one in before:
        if isinstance(event := decode(one), Event):
            memory.take(event)
    decoded = decode(record)
    if isinstance(decoded, Ignored):
        return Became(Outcome.IGNORED.value)
    if isinstance(decoded, Rejection):
        return _rejected(decoded)
    folded = memory.take(decoded)
    if own := [one for one in folded.rejected if one.record is record]:
        return _rejected(own[0])
    if folded.parked:
        return Became(Outcome.PARKED.value)
    if folded.superseded:
        return Became(Outcome.SUPERSEDED.value)
    state = folded.state
    aside = state is not None and state.fields is not None and memory.shown(decoded.entity, decoded.id) is not state
    return Became((Outcome.PARKED if aside else Outcome.APPLIED).value)


def _rejected(rejection: Rejection) -> Became:
    return Became(Outcome.REJECTED.value, rejection.reason.value, rejection.error)


def _said(became: Became) -> str:
    return ": ".join(str(one) for one in became if one is not None)


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().split(b"\n")


def _vector(file: str, number: int, text: bytes) -> Vector:
    try:
        one = json.loads(text)
        before = tuple(record_of(earlier) for earlier in one.get("before", ()))
        expected = Became(Outcome(one["outcome"]).value, one.get("reason"), one.get("error"))
        if not isinstance(name := one["name"], str):
            raise TypeError("a name")
        return Vector(name, record_of(one), before, expected)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        raise ValueError(f"{file}, line {number}: not a golden vector") from None


def record_of(written: Mapping[str, Any]) -> Given:
    """The record of a vector, or of one in its `before`."""
    headers = tuple(
        ((_bytes(name) or b"").decode("utf-8", "surrogateescape"), _bytes(value)) for name, value in written["headers"]
    )
    return Given(_bytes(written["value"]), headers, _bytes(written["key"]))


def _bytes(part: Any) -> bytes | None:
    if part is None or isinstance(part, str):
        return None if part is None else part.encode()
    if "base64" in part:
        return base64.b64decode(part["base64"], validate=True)
    return b"".join(text.encode() * number for text, number in part["repeat"])
