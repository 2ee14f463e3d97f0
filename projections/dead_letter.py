"""What is kept of a rejected record: enough to see what it was and to try again, and no password."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import orjson

from projections.event import Rejection

VALUE_KEPT_BYTES = 64 * 1024
TEXT_KEPT_CHARACTERS = 1024
MASK = b'"***"'
BASE64 = b"data_base64"


def dead_letter(rejection: Rejection, secrets: Iterable[str]) -> dict[str, Any]:
    """The columns of `dead_letters` for one rejection; values of fields named in `secrets` are masked."""
    names = tuple(secrets)
    record = rejection.record
    value = record.value
    headers = [
        [_clean(_spelled(name)), _clean_bytes(_header(name, text or b"", names))] for name, text in record.headers
    ]
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "sha256": hashlib.sha256(value or b"").digest(),
        "key": None if record.key is None else mask(record.key, names)[:VALUE_KEPT_BYTES],
        "value": None if value is None else mask(value, names)[:VALUE_KEPT_BYTES],
        "value_length": None if value is None else len(value),
        "headers": orjson.dumps(headers).decode(),
        "event_id": _clean_or_none(rejection.event_id),
        "source": _clean_or_none(rejection.source),
        "type": _clean_or_none(rejection.type),
        "entity_id": rejection.entity_id,
        "reason": rejection.reason.value,
        "error": rejection.error,
    }


def mask(value: bytes, secrets: Iterable[str]) -> bytes:
    """`value` with what stands behind each of `secrets` masked: as a JSON field, and in text that does not parse.

    What can hold none stays as it is, byte for byte; JSON stays JSON. Base64 data is masked whole.
    """
    return _masked(value, [name.lower().encode() for name in secrets])


def _masked(value: bytes, names: Sequence[bytes]) -> bytes:
    plain = value.lower()
    if not names or not any(sign in plain for sign in (*names, BASE64, b"\\u")):
        wide = plain.replace(b"\0", b"")  # UTF-16 and the like
        return MASK if names and any(sign in wide for sign in (*names, BASE64)) else value
    try:
        return orjson.dumps(_without_secrets(orjson.loads(value), names))
    except (orjson.JSONDecodeError, orjson.JSONEncodeError, RecursionError):
        return _masked_text(value, names)


def _without_secrets(parsed: Any, names: Sequence[bytes]) -> Any:
    if isinstance(parsed, dict):
        return {
            key: "***" if _is_secret(key.lower().encode(), names) else _without_secrets(inner, names)
            for key, inner in parsed.items()
        }
    if isinstance(parsed, list):
        return [_without_secrets(inner, names) for inner in parsed]
    return _masked(parsed.encode(), names).decode() if isinstance(parsed, str) else parsed


def _is_secret(key: bytes, names: Sequence[bytes]) -> bool:
    return any(name in key for name in (*names, BASE64))


def _masked_text(text: bytes, names: Sequence[bytes]) -> bytes:
    spelled_out = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), text)
    masked = spelled_out
    for name in (*names, BASE64):
        masked = _behind(name).sub(rb"\g<1>" + MASK, masked)
    return text if masked == spelled_out else masked


_ESCAPED = re.compile(rb"(?<!\\)\\+u00(3[0-9]|[46][1-9a-f]|[57][0-9a]|5f)", re.IGNORECASE)
"""A letter, digit or underscore as JSON may spell it; the start of the backslashes, else long rows take for ever."""


@cache
def _behind(name: bytes) -> re.Pattern[bytes]:
    """A field whose name has `name` in it, quoted or not, what may stand between, and the value.

    The value is a string, a nested value, or the rest of the line, up to XML's next tag or a form's next field. A
    string ends at the quote it began with, with as many backslashes, or at the end of the text. What repeats here
    is possessive or bounded: the time it takes grows with the text, and no faster.
    """
    return re.compile(
        rb"(?is)("
        + re.escape(name)
        + rb"""\w{0,40}+(?:[^\w:=>]*+[:=>]+|\s[^<>]{0,200}+>)\s*)"""
        + rb"""(?:(\\*+["'])(?:(?!(?<!\\)\2).)*+(?:\2|\Z)|[\[{].*|<!\[CDATA\[.*|(?:[^\r\n&<]|&(?=\#?\w{1,20};))+)"""
    )


def _header(name: str, value: bytes, secrets: tuple[str, ...]) -> bytes:
    return MASK if any(secret.lower() in name.lower() for secret in secrets) else mask(value, secrets)


def _clean(text: str) -> str:
    """Text that Postgres can store: no NUL, no lone surrogates, not endless."""
    return text[:TEXT_KEPT_CHARACTERS].replace("\0", "�").encode("utf-8", "replace").decode()


def _clean_bytes(value: bytes) -> str:
    return _clean(value[: 4 * TEXT_KEPT_CHARACTERS].decode("utf-8", "backslashreplace"))


def _spelled(name: str) -> str:
    """A header's name, bytes that are no UTF-8 as `\\xe9`: who tries it again sees that this is not the name itself."""
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return name


def _clean_or_none(text: str | None) -> str | None:
    return None if text is None else _clean(text)
