"""JSON as the contract reads it: UTF-8, no NUL, no lone surrogates, bounded nesting."""

import json
from collections.abc import Iterable
from typing import Any

import orjson

from neon_projector.projections.contract.broken_json import not_json, not_text
from neon_projector.projections.contract.words.of_values import SURROGATE, TOO_DEEP

MAX_NESTING = 1_000
"""Levels of arrays and objects, the document itself included. RFC 8259, section 9, allows a reader such a limit; the
parsers used here have limits of their own, not far above it."""
LONGEST_INTEGER = 21
"""Characters, the sign included: every longer integer is outside the contract's range."""


def parse_json(value: bytes) -> Any:
    """Parse `value` as JSON (RFC 8259). Rejected if it has a NUL, a lone surrogate, or more than MAX_NESTING levels."""
    try:
        parsed = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        if "depth limit" in error.msg:
            raise TOO_DEEP.rejected(most=MAX_NESTING) from None
        if "infinity" in error.msg:
            return _with_large_numbers(value)
        if "surrogate in" in error.msg or ("surrogates" in error.msg and _is_utf8_with_surrogates(value)):
            raise SURROGATE.rejected() from None
        raise not_json(value, error) from None
    if value.count(b"[") + value.count(b"{") > MAX_NESTING and _is_too_deep(parsed):
        raise TOO_DEEP.rejected(most=MAX_NESTING)
    if b"\\u0000" in value and _has_nul(parsed):
        raise not_text(value)
    return parsed


def _is_utf8_with_surrogates(value: bytes) -> bool:
    """Whether `value` is UTF-8 except for surrogates, which some encoders write like characters."""
    try:
        value.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _with_large_numbers(value: bytes) -> Any:
    """Parse JSON that has a number past a double's range, which orjson refuses.

    In an unknown field such a number does not matter; the fast path skips it, too. No field of the contract takes it.
    """
    try:
        parsed = json.loads(value.decode(), parse_int=_whole_or_infinite, parse_constant=_no_number)
        json.dumps(parsed, ensure_ascii=False).encode()
    except RecursionError:
        raise TOO_DEEP.rejected(most=MAX_NESTING) from None
    except UnicodeEncodeError:
        raise SURROGATE.rejected() from None
    except ValueError as error:
        raise not_json(value, error) from None
    if _has_nul(parsed):
        raise not_text(value)
    return parsed


def _no_number(_: str) -> Any:
    raise ValueError("Infinity or NaN")


def _whole_or_infinite(digits: str) -> int | float:
    return int(digits) if len(digits) < LONGEST_INTEGER else float(digits)


def _is_too_deep(parsed: Any) -> bool:
    level, depth = [parsed], 0
    while level := [inner for outer in level for inner in _inside(outer) if isinstance(inner, dict | list)]:
        depth += 1
        if depth >= MAX_NESTING:
            return True
    return False


def _inside(parsed: Any) -> Iterable[Any]:
    return parsed.values() if isinstance(parsed, dict) else parsed if isinstance(parsed, list) else ()


def _has_nul(parsed: Any) -> bool:
    """Whether any string in `parsed`, names included, has a NUL. It needs no recursion, whatever the depth."""
    pending = [parsed]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            if "\0" in value:
                return True
        elif isinstance(value, dict):
            pending.extend(value)
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
    return False
