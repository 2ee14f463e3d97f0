"""Makes the dead letter of a rejected record: enough to understand it and to retry it, without passwords."""

import hashlib
from collections.abc import Iterable
from typing import Any

import orjson

from neon_projector.projections.contract.event import Rejection
from neon_projector.projections.contract.mask import MASK, mask, stands
from neon_projector.projections.contract.record import Record

VALUE_KEPT_BYTES = 64 * 1024
TEXT_KEPT_CHARACTERS = 1024
HEADERS_KEPT, HEADERS_KEPT_CHARACTERS = 100, 64 * 1024
"""The first headers, up to this number, and up to this many characters of names and values in all."""


def dead_letter(rejection: Rejection, secrets: Iterable[str]) -> dict[str, Any]:
    """The columns of `dead_letters` for one rejection, with the values of the fields `secrets` masked.

    It never raises: if masking fails, the letter has none of the record's contents.
    """
    record, names = rejection.record, tuple(secrets)
    try:
        kept = _contents(rejection, names)
    except Exception:
        masked = {"key": record.key and MASK, "value": record.value and MASK, "headers": "[]"}
        kept = {**masked, "event_id": None, "source": None, "type": None}
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "sha256": hashlib.sha256(record.value or b"").digest(),
        "value_length": None if record.value is None else len(record.value),
        "header_count": len(record.headers),
        "entity_id": rejection.entity_id,
        "reason": rejection.reason.value,
        "error": rejection.error,
        **kept,
    }


def _contents(rejection: Rejection, secrets: tuple[str, ...]) -> dict[str, Any]:
    record = rejection.record
    return {
        "key": None if record.key is None else mask(record.key, secrets)[:VALUE_KEPT_BYTES],
        "value": None if record.value is None else mask(record.value, secrets)[:VALUE_KEPT_BYTES],
        "headers": orjson.dumps(_headers(record, secrets)).decode(),
        "event_id": _attribute(rejection.event_id, secrets),
        "source": _attribute(rejection.source, secrets),
        "type": _attribute(rejection.type, secrets),
    }


def _headers(record: Record, secrets: tuple[str, ...]) -> list[list[str]]:
    """The first headers, masked. If the name of a secret is in a value and it is unclear what belongs to it, that may
    be another header; then no value is kept."""
    kept: list[list[str]] = []
    left, unsure = HEADERS_KEPT_CHARACTERS, False
    for name, value in record.headers[:HEADERS_KEPT]:
        masked = MASK if stands(name, secrets) else mask(value or b"", secrets)
        unsure = unsure or (masked == MASK != value and not stands(name, secrets))
        header = [_clean(_spelled(name)), _clean_bytes(masked)]
        left -= sum(map(len, header))
        if left < 0:
            break
        kept.append(header)
    return [[name, MASK.decode()] for name, _ in kept] if unsure else kept


def _attribute(text: str | None, secrets: tuple[str, ...]) -> str | None:
    if text is None:
        return None
    return "***" if stands(text, secrets) else _clean(text)


def _clean(text: str) -> str:
    """Text that Postgres can store: no NUL, no lone surrogates, a limited length."""
    return text[:TEXT_KEPT_CHARACTERS].replace("\0", "�").encode("utf-8", "replace").decode()


def _clean_bytes(value: bytes) -> str:
    return _clean(value[: 4 * TEXT_KEPT_CHARACTERS].decode("utf-8", "backslashreplace"))


def _spelled(name: str) -> str:
    """A header's name. Bytes that are not UTF-8 become `\\xe9`, so that a retry can tell that the name was changed."""
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return name
