"""A record's headers: their names, their text, and whether they make the record a CloudEvent in binary mode."""

from collections.abc import Mapping

from neon_projector.projections.contract.outcome import Reason, Rejected
from neon_projector.projections.contract.record import Record

CE_PREFIX = "ce_"
SHOWN = ("content-type", *(CE_PREFIX + name for name in ("specversion", "id", "source", "type", "subject", "time")))
"""The header names that an error message may quote. Any other name is input, and input stays out of messages."""


def read_headers(record: Record) -> dict[str, bytes]:
    """The record's headers by lower-case name, without null ones; of one name the last counts. Rejected where a name
    is no text: whoever reads Kafka's bytes leaves lone surrogates there for bytes that are no UTF-8."""
    if not all(is_text(name) for name, _ in record.headers):
        raise Rejected(Reason.INVALID_TEXT, "a header's name is not UTF-8")
    return {name.lower(): value for name, value in record.headers if value is not None}


def is_text(name: str) -> bool:
    """Whether UTF-8 can spell `name`."""
    try:
        return name.isascii() or bool(name.encode())
    except UnicodeEncodeError:
        return False


def is_binary(headers: Mapping[str, bytes]) -> bool:
    """Whether any `ce_` header stands there."""
    return any(name.startswith(CE_PREFIX) for name in headers)


def header_text(value: bytes, name: str) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise Rejected(Reason.INVALID_TEXT, f"header {_safe(name)}: not UTF-8") from None
    if "\0" in text:
        raise Rejected(Reason.INVALID_TEXT, f"header {_safe(name)}: a NUL character")
    return text


def _safe(name: str) -> str:
    return name if name in SHOWN else "(another)"
