"""What is kept of a rejected record: enough to see what it was and to try again, and no password."""

import hashlib
import re
from collections.abc import Iterable
from typing import Any

import orjson

from projections.event import Rejection

VALUE_KEPT_BYTES = 64 * 1024
TEXT_KEPT_CHARACTERS = 1024
MASK = b'"***"'


def dead_letter(rejection: Rejection, secrets: Iterable[str]) -> dict[str, Any]:
    """The columns of `dead_letters` for one rejection; values of fields named in `secrets` are masked."""
    record = rejection.record
    value = record.value
    masked = None if value is None else mask(value, secrets)
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "sha256": hashlib.sha256(value or b"").digest(),
        "key": None if record.key is None else record.key[:VALUE_KEPT_BYTES],
        "value": None if masked is None else masked[:VALUE_KEPT_BYTES],
        "value_length": None if value is None else len(value),
        "headers": orjson.dumps([[_clean(name), _clean_bytes(text or b"")] for name, text in record.headers]).decode(),
        "event_id": _clean_or_none(rejection.event_id),
        "source": _clean_or_none(rejection.source),
        "type": _clean_or_none(rejection.type),
        "entity_id": rejection.entity_id,
        "reason": rejection.reason.value,
        "error": rejection.error,
    }


def mask(value: bytes, secrets: Iterable[str]) -> bytes:
    """`value` with what stands behind each of `secrets` masked: as a JSON field, and in text that does not parse.

    Base64 data that may hold one is masked whole. Where JSON spells a name with escapes, it is written anew.
    """
    names = [name.encode() for name in secrets]
    if not names:
        return value
    value = _hide_base64(value)
    if b"\\u" in value:
        value = _without_escapes(value)
    for name in names:
        value = _behind(name).sub(rb"\g<1>" + MASK, value)
    return value


def _behind(name: bytes) -> re.Pattern[bytes]:
    """A field's name, quoted or not, a colon or equals sign, and the value: a string, a nested value, a word."""
    string = rb'"(?:[^"\\]|\\.)*(?:"|\\?$)|' + rb"'[^']*(?:'|$)"
    return re.compile(
        rb"(?is)("
        + re.escape(name)
        + rb"""(?:\\*["'])?\s*[:=]\s*)(?:\\+"(?:[^"\\]|\\[^"])*(?:\\+"|$)|"""
        + string
        + rb"|[\[{].*|[^\s,}&]+)"
    )


def _hide_base64(value: bytes) -> bytes:
    return re.sub(rb'(?is)("data_base64"\s*:\s*)"[^"]*(?:"|$)', rb"\g<1>" + MASK, value)


def _without_escapes(value: bytes) -> bytes:
    try:
        return orjson.dumps(orjson.loads(value))
    except orjson.JSONDecodeError:
        return re.sub(rb"\\u00([2-7][0-9a-fA-F])", lambda found: bytes([int(found[1], 16)]), value)


def _clean(text: str) -> str:
    """Text that Postgres can store: no NUL, no lone surrogates, not endless."""
    return text[:TEXT_KEPT_CHARACTERS].replace("\0", "�").encode("utf-8", "replace").decode()


def _clean_bytes(value: bytes) -> str:
    return _clean(value[: 4 * TEXT_KEPT_CHARACTERS].decode("utf-8", "backslashreplace"))


def _clean_or_none(text: str | None) -> str | None:
    return None if text is None else _clean(text)
