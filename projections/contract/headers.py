"""A record's headers: their names, their text, and whether they make the record a CloudEvent in binary mode."""

from collections.abc import Mapping

from neon_projector.projections.contract.record import Record
from neon_projector.projections.contract.words.of_values import HEADER_NAME, HEADER_NUL, HEADER_TEXT

CE_PREFIX = "ce_"
SHOWN = ("content-type", *(CE_PREFIX + name for name in ("specversion", "id", "source", "type", "subject", "time")))
"""The header names that an error message may quote. Any other name is input, and input stays out of messages."""


def read_headers(record: Record) -> dict[str, bytes]:
    """The record's headers by lower-case name. Null headers are left out; the last one of a name counts.

    Rejected if a name is not UTF-8. The Kafka client keeps such bytes as lone surrogates.
    """
    if not all(is_text(name) for name, _ in record.headers):
        raise HEADER_NAME.rejected()
    return {name.lower(): value for name, value in record.headers if value is not None}


def is_text(name: str) -> bool:
    """Whether UTF-8 can encode `name`: it has no lone surrogates."""
    try:
        return name.isascii() or bool(name.encode())
    except UnicodeEncodeError:
        return False


def is_binary(headers: Mapping[str, bytes]) -> bool:
    """Whether the record is a CloudEvent in binary mode: it has any `ce_` header."""
    return any(name.startswith(CE_PREFIX) for name in headers)


def header_text(value: bytes, name: str) -> str:
    """A header's value as text. Rejected if it is not UTF-8 or has a NUL."""
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        raise HEADER_TEXT.rejected(name=_safe(name), at=error.start) from None
    if "\0" in text:
        raise HEADER_NUL.rejected(name=_safe(name), at=value.index(b"\0"))
    return text


def _safe(name: str) -> str:
    return name if name in SHOWN else "(another)"
