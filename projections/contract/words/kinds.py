"""Names the kind of a value as JSON has it, for sentences about bad records. The value itself is never shown."""

import re
from typing import Any
from uuid import UUID

_LONGEST_SHOWN = 2**64
_IN_QUOTES = {"true": "true or false", "false": "true or false", "null": "null"}


def kind_of(value: Any) -> str:
    """What kind of thing `value` is: "a string", "digits in quotes", "null". No content."""
    if isinstance(value, str):
        return _kind_of_text(value)
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    if value is None or isinstance(value, bool):
        return "null" if value is None else "true or false"
    if isinstance(value, int):
        return "a whole number"
    return "a number with a decimal point" if abs(value) < _LONGEST_SHOWN else "a number that is too large"


def shown(number: Any) -> str:
    """A number as it may be shown: one with many digits is only named."""
    return str(number) if isinstance(number, int) and abs(number) <= _LONGEST_SHOWN else "a number of many digits"


def text_of(text: str) -> str:
    """A string by its length, for fields in which each string has one form."""
    kind = _kind_of_text(text)
    return f"a string of {len(text)} characters" if kind == "a string" else kind


def uuid_or_none(value: Any) -> UUID | None:
    """The UUID that `value` is the text of, in a spelling of the contract. `UUID` alone takes also what else `int`
    takes: digits of other scripts, underscores."""
    try:
        one = UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return one if one is not None and one.hex in value.lower().replace("-", "") else None


def _kind_of_text(text: str) -> str:
    if not text:
        return "an empty string"
    if text in _IN_QUOTES:
        return f"{_IN_QUOTES[text]} in quotes"
    if re.fullmatch(r"[+-]?[0-9]+", text):
        return "digits in quotes"
    return "JSON in a string" if text.lstrip()[:1] in ("{", "[") and text.rstrip()[-1:] in ("}", "]") else "a string"
