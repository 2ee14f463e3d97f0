"""What a publisher hands over as an event, as a record."""

import json
from collections.abc import Mapping
from typing import Any

from neon_projector.projections.checking.given import Given, Headers, given

AnEvent = Mapping[str, Any] | bytes | str | tuple[bytes | str | None, Headers, bytes | str | None] | Any
"""An event in structured form (a dict, or JSON); or a record: a tuple (key, headers, value), or anything with these
attributes, as aiokafka's and kafka-python's records have them."""


def record_of(number: int, event: AnEvent) -> Given:
    """The record with this number. TypeError where it is none."""
    try:
        return _given(number, event)
    except TypeError as error:
        raise TypeError(f"event {number}: {error}") from None


def _given(number: int, event: AnEvent) -> Given:
    if isinstance(event, Mapping):
        try:
            return given(json.dumps(event), number=number)
        except (TypeError, ValueError) as error:
            raise TypeError(f"a dict of JSON's own types; {error}") from None
    if isinstance(event, bytes | str):
        return given(event, number=number)
    if isinstance(event, tuple) and len(event) == 3:
        key, headers, value = event
        return given(value, headers or (), key, number)
    try:
        return given(event.value, event.headers or (), event.key, number)
    except AttributeError:
        kind = type(event).__name__
        raise TypeError(f"a dict, JSON, a tuple (key, headers, value) or a record, {kind} came") from None
