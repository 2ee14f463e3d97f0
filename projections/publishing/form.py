"""The two forms of a schema, and the rule of a single field in each."""

from enum import StrEnum
from typing import Any

Schema = dict[str, Any]
"""A JSON Schema. It has no `$ref`, and no pattern with a look-around: Go's and Rust's validators take none."""


class Form(StrEnum):
    """For whom a schema is."""

    STRICT = "strict"
    """For publishers: only the fields of the contract, each in its usual spelling."""
    TOLERANT = "tolerant"
    """As the service reads: unknown fields and types are ignored. What it refuses, the service rejects."""


_HEX = "[0-9a-fA-F]"
_HYPHENATED = "-".join(f"{_HEX}{{{length}}}" for length in (8, 4, 4, 4, 12))
_DATE = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?"
_OFFSET = "[+-]([01][0-9]|2[0-3]):[0-5][0-9]"

BY_FORMAT: dict[str, dict[Form, Schema]] = {
    "uuid": {
        Form.STRICT: {"format": "uuid", "pattern": f"^{_HYPHENATED.replace('A-F', '')}$"},
        Form.TOLERANT: {
            "pattern": f"^({_HEX}{{32}}|(urn:uuid:)?{_HYPHENATED}|\\{{{_HYPHENATED}\\}})$",
        },
    },
    "date-time": {
        Form.STRICT: {"format": "date-time", "pattern": f"^{_DATE}T{_CLOCK}(Z|{_OFFSET})$"},
        Form.TOLERANT: {"pattern": f"^{_DATE}[Tt ]{_CLOCK}([Zz]|{_OFFSET})$"},
    },
    "email": {
        Form.STRICT: {"pattern": r"^[^@\s]+@[^@\s]+\.[^@\s]+$", "maxLength": 320},
        Form.TOLERANT: {"pattern": "@"},
    },
}
"""By pydantic's `format`, the rule in its place. The tolerant form names no format: some validators check formats by
rules of their own, narrower than what the service reads."""


def rule(of_pydantic: Schema, form: Form) -> Schema:
    """The rule of one field, as pydantic states it, in this form; without words."""
    if choices := of_pydantic.get("anyOf"):
        (value, null) = (rule(choice, form) for choice in choices)
        return {**value, "type": [value["type"], null["type"]]}
    found = {name: value for name, value in of_pydantic.items() if name not in ("title", "default")}
    if (named := found.pop("format", None)) is not None:
        found.pop("maxLength", None)
        found |= BY_FORMAT[named][form]
    return found


TIME = {form: {"type": "string", **BY_FORMAT["date-time"][form]} for form in Form}


def any_case(text: str) -> str:
    """A pattern that matches `text` in capital and small letters."""
    return "".join(f"[{c.lower()}{c.upper()}]" if c.isalpha() else f"\\{c}" if c in "+." else c for c in text)
