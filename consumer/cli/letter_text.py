"""A dead letter as JSON or text: bytes are text where they are that."""

import base64
from typing import Any

from neon_projector.consumer.stored_json import json_of


def readable(row: dict[str, Any]) -> dict[str, Any]:
    """Bytes as text where they are that, else as base64 under a name that says so."""
    told: dict[str, Any] = {}
    for name, value in row.items():
        if name == "sha256":
            told[name] = value.hex()
        elif name == "headers":
            told[name] = json_of(value)
        elif not isinstance(value, bytes):
            told[name] = value
        else:
            told |= _text_or_base64(name, value)
    return told


def _text_or_base64(name: str, value: bytes) -> dict[str, str]:
    try:
        return {name: value.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(value).decode()}
