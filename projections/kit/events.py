"""What a publisher hands over as an event, as a record."""

import json
from collections.abc import Mapping
from typing import Any

from neon_projector.projections.checking.given import Given, Headers, given

AnEvent = Mapping[str, Any] | bytes | str | tuple[bytes | str | None, Headers | None, bytes | str | None] | Any
"""An event in structured form (a dict, or JSON); or a record: a tuple (key, headers, value), or anything with these
attributes, as aiokafka's and kafka-python's records have them, or these methods, as confluent-kafka's messages have
them."""


def record_of(number: int, event: AnEvent) -> Given:
    """The record with this number. TypeError where it is none."""
    try:
        return given(*_parts(event), number)
    except TypeError as error:
        raise TypeError(f"event {number}: {error}") from error.__cause__


def is_one(events: Any) -> bool:
    """Whether this is an event by itself, and no list of events."""
    return isinstance(events, Mapping | bytes | bytearray | str) or hasattr(events, "value")


def _parts(event: AnEvent) -> tuple[Any, Any, Any]:
    """Value, headers and key."""
    if isinstance(event, Mapping):
        return _json_of(event), (), None
    if isinstance(event, bytes | bytearray | memoryview | str):
        return event, (), None
    if isinstance(event, tuple) and len(event) == 3 and not hasattr(event, "_fields"):
        key, headers, value = event
        return value, headers, key
    try:
        value, headers, key = (part() if callable(part) else part for part in (event.value, event.headers, event.key))
    except AttributeError as error:
        kind = type(event).__name__
        raise TypeError(f"a dict, JSON, a tuple (key, headers, value) or a record, {kind} came") from error
    return value, headers, key


def _json_of(event: Mapping[str, Any]) -> str:
    try:
        return json.dumps(event)
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"a dict of JSON's own types; {error}") from None
