"""The record of a dead letter, as `projector dead-letters export` writes it."""

import base64
from typing import Any

from neon_projector.consumer.admin.letters.originals import KeptRecord, is_whole
from neon_projector.projections.checking.problem import Problem
from neon_projector.projections.contract.record import Record

NAMES = {"id", "reason", "sha256", "value_length", "headers", "header_count", "topic", "partition", "offset"}


def is_letter(parsed: Any) -> bool:
    """Whether this is a dead letter, and not an event."""
    return isinstance(parsed, dict) and parsed.keys() >= NAMES


def record_of_letter(line: int, letter: dict[str, Any]) -> Record | Problem:
    """The record that was rejected, without its key; a problem where it was masked or cut."""
    try:
        value = _value(letter)
        row = {**letter, "key": None, "value": value, "sha256": bytes.fromhex(letter["sha256"])}
        if is_whole(row):
            headers = tuple((str(name), str(text).encode()) for name, text in letter["headers"])
            return KeptRecord(letter["topic"], letter["partition"], letter["offset"], None, value, headers)
    except (TypeError, ValueError, AttributeError):
        pass  # somebody has changed it
    return Problem(
        line,
        "not_whole",
        "a dead letter with the record as it came, one that is masked, cut, parked before or changed came",
        f"`projector dead-letters retry {letter['id']}` reads the original from Kafka. To publish a mended event, let "
        "the line be the event itself.",
    )


def _value(letter: dict[str, Any]) -> bytes | None:
    if (encoded := letter.get("value_base64")) is not None:
        return base64.b64decode(encoded)
    text = letter.get("value")
    return None if text is None else str(text).encode()
