"""The trace in which a rejected record was published, by what its dead letter has kept of it."""

from collections.abc import Mapping
from typing import Any

from neon_projector.consumer.stored_json import json_of
from neon_projector.projections.contract.record import RecordPlace
from neon_projector.projections.contract.trace_context import traceparent


def traceparent_of(letter: Mapping[str, Any]) -> str | None:
    """The `traceparent` of a letter with its place, `headers` and `value`; None where none that is valid is kept: a
    value that was cut or masked may have had one."""
    headers = tuple((name, text.encode()) for name, text in json_of(letter["headers"]))
    place = (letter["topic"], letter["partition"], letter["offset"])
    return traceparent(RecordPlace(*place, value=letter["value"], headers=headers))
