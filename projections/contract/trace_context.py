"""In which trace a record was published: W3C Trace Context, level 1 (https://www.w3.org/TR/trace-context-1/).

It stands in the header `traceparent`, else in the event itself, by the CloudEvents extension for distributed tracing:
the header `ce_traceparent` in binary mode, the attribute `traceparent` in structured mode. The first one that is valid
counts; a wrong one is as good as none, and never a reason to reject an event.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from neon_projector.projections.contract.headers import CE_PREFIX
from neon_projector.projections.contract.record import Record

HEADERS = ("traceparent", "ce_traceparent")
"""Where it may stand beside the value, in lower case; the first one comes first."""
LENGTH = 55
"""Bytes of a traceparent of version 00; later versions may have more behind it."""
TRIES = 4
"""So many times as often as contexts are wanted, a record is read with care: what looks sampled may be wrong."""

_FORM = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_ODD = frozenset(b"13579bdf")
"""The last digit of the flags where their lowest bit, `sampled`, is set."""
_LENGTHS = frozenset(map(len, HEADERS))
_NAMED = b'"traceparent"'
_SAMPLED = re.compile(rb'"traceparent"\s*:\s*"([0-9a-f-]{54}[13579bdf])')


class TraceContext(NamedTuple):
    """One span of somebody else's trace. Its text is a traceparent of version 00."""

    trace_id: str
    """32 hexadecimal digits, not all 0."""
    span_id: str
    """16 of them."""
    sampled: bool

    def __str__(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self.sampled:02x}"


class _Attributes(msgspec.Struct):
    traceparent: str | None = None


_attributes = msgspec.json.Decoder(_Attributes).decode


def parsed(text: bytes) -> TraceContext | None:
    """What this traceparent says; None where it is not valid (section 3.2 of the standard).

    Of a version after 00 the same fields are read, and what follows behind a `-` is left; version ff is none.
    """
    found = _FORM.match(text)
    if found is None:
        return None
    version, trace_id, span_id, flags = found.groups()
    more = text[LENGTH : LENGTH + 1]
    if version == b"ff" or (more and (version == b"00" or more != b"-")):
        return None
    if not (trace_id.strip(b"0") and span_id.strip(b"0")):
        return None
    return TraceContext(trace_id.decode(), span_id.decode(), flags[1] in _ODD)


def trace_context(record: Record) -> TraceContext | None:
    """The span that published `record`, or made its event; None where none is named. It never raises."""
    headers = {name.lower(): value for name, value in record.headers if value is not None}
    for name in HEADERS:
        if (text := headers.get(name)) is not None and (context := parsed(text)) is not None:
            return context
    structured = headers.get("content-type", b"").lower().startswith(b"application/cloudevents")
    if record.value is None or not (structured or not any(name.startswith(CE_PREFIX) for name in headers)):
        return None
    return _of_value(record.value)


def traceparent(record: Record) -> str | None:
    """The same as text, fit to be stored and shown whatever the record has there."""
    context = trace_context(record)
    return None if context is None else str(context)


def sampled_contexts(records: Iterable[Record], most: int) -> list[TraceContext]:
    """The first different contexts of these records that are sampled, at most so many.

    A record without one, or with one that is not sampled, costs less than a microsecond.
    """
    found: dict[TraceContext, None] = {}
    seen = set[bytes]()
    for record in records:
        text = _looks_sampled(record)
        if text is None or text in seen:
            continue
        seen.add(text)
        if (context := trace_context(record)) is not None and context.sampled:
            found[context] = None
        if len(found) == most or len(seen) == TRIES * most:
            break
    return list(found)


def _looks_sampled(record: Record) -> bytes | None:
    """A text of the record that may be a traceparent that is sampled; `trace_context` tells whether it is."""
    for name, text in record.headers:
        if len(name) in _LENGTHS and name.lower() in HEADERS and text and len(text) >= LENGTH and text[54] in _ODD:
            return text
    value = record.value
    if value is None or (at := value.find(_NAMED)) < 0:
        return None
    found = _SAMPLED.search(value, at)
    return None if found is None else found[1]


def _of_value(value: bytes) -> TraceContext | None:
    if _NAMED not in value:
        return None
    try:
        text = _attributes(value).traceparent
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return None if text is None else parsed(text.encode("utf-8", "surrogatepass"))
