"""CloudEvents 1.0 by its Kafka protocol binding, structured and binary mode (section 3 of the binding)."""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from neon_projector.projections.contract.fields import parse_time
from neon_projector.projections.contract.outcome import Reason, Rejected
from neon_projector.projections.contract.record import Record

CE_PREFIX = "ce_"
REQUIRED = ("specversion", "id", "source", "type")
MISSING: Any = object()
MAX_NESTING = 1_000
"""Arrays and objects within each other, counted from the document's own. A reader may have such a limit (RFC 8259,
section 9); the parsers here have others, of their own, not far above it."""
LONGEST_INTEGER = 21
"""Digits, with a sign: what is longer is past every integer of the contract."""
TOO_DEEP = f"nested deeper than {MAX_NESTING} levels"
NOT_JSON = "the data's content type is not JSON"


@dataclass(slots=True)
class Envelope:
    """An event's attributes as far as this service reads them, and its data.

    `data` is `MISSING` where there is none, and a Rejected where there is some that can't be read: that matters
    only if the event is one of ours.
    """

    id: str
    source: str
    type: str
    subject: str | None
    time: datetime | None
    data: Any


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


def read_envelope(value: bytes, headers: Mapping[str, bytes]) -> Envelope:
    """Read one record's value with its headers; Rejected where it is no CloudEvent of version 1.0."""
    media_type = _text(headers.get("content-type", b""), "content-type").partition(";")[0].strip().lower()
    if media_type.startswith("application/cloudevents"):
        if media_type not in ("application/cloudevents", "application/cloudevents+json"):
            raise Rejected(Reason.UNSUPPORTED_FORMAT, "content-type: of structured events only JSON is read")
        return _structured(value)
    if is_binary(headers):
        attributes = {
            name[len(CE_PREFIX) :]: _text(text, name) for name, text in headers.items() if name.startswith(CE_PREFIX)
        }
        return _envelope(attributes, _read_data(value, media_type) if value else MISSING)
    if media_type not in ("", "application/json"):
        raise Rejected(Reason.UNSUPPORTED_FORMAT, "content-type: neither a CloudEvent nor JSON")
    return _structured(value)


def parse_json(value: bytes) -> Any:
    """`value` as JSON (RFC 8259, UTF-8), free of NUL and lone surrogates, and no deeper than MAX_NESTING."""
    try:
        parsed = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        if "depth limit" in error.msg:
            raise Rejected(Reason.INVALID_JSON, TOO_DEEP) from None
        if "infinity" in error.msg:
            return _with_large_numbers(value)
        if "surrogate in" in error.msg or ("surrogates" in error.msg and _is_utf8_with_surrogates(value)):
            raise Rejected(Reason.INVALID_TEXT, "a lone surrogate") from None
        raise Rejected(Reason.INVALID_JSON, f"not JSON in UTF-8 (at character {error.pos})") from None
    if value.count(b"[") + value.count(b"{") > MAX_NESTING and _is_too_deep(parsed):
        raise Rejected(Reason.INVALID_JSON, TOO_DEEP)
    if b"\\u0000" in value and _has_nul(parsed):
        raise Rejected(Reason.INVALID_TEXT, "a NUL character")
    return parsed


def _structured(value: bytes) -> Envelope:
    attributes = parse_json(value)
    if not isinstance(attributes, dict):
        raise Rejected(Reason.INVALID_ENVELOPE, "not a JSON object")
    data = attributes.get("data", MISSING)
    content_type = attributes.get("datacontenttype")
    if not isinstance(content_type, str | None):
        raise Rejected(Reason.INVALID_ENVELOPE, "datacontenttype: not a string")
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if (encoded := attributes.get("data_base64")) is not None:
        if data is not MISSING:
            raise Rejected(Reason.INVALID_ENVELOPE, "both data and data_base64")
        data = _read_data(_base64(encoded), media_type)
    elif not _is_json(media_type):
        data = Rejected(Reason.UNSUPPORTED_FORMAT, NOT_JSON)
    return _envelope(attributes, data)


def _envelope(attributes: Mapping[str, Any], data: Any) -> Envelope:
    for name in REQUIRED:
        value = attributes.get(name)
        if not isinstance(value, str) or not value:
            raise Rejected(Reason.INVALID_ENVELOPE, f"{name}: required, a string that is not empty")
    if attributes["specversion"] != "1.0":
        raise Rejected(Reason.INVALID_ENVELOPE, "specversion: only 1.0 is read")
    subject = attributes.get("subject")
    if subject is not None and not isinstance(subject, str):
        raise Rejected(Reason.INVALID_ENVELOPE, "subject: not a string")
    time = attributes.get("time")
    if time is not None:
        try:
            time = parse_time(time)
        except ValueError as error:
            raise Rejected(Reason.INVALID_ENVELOPE, f"time: {error}") from None
    return Envelope(attributes["id"], attributes["source"], attributes["type"], subject, time, data)


def _read_data(value: bytes, media_type: str) -> Any:
    if not _is_json(media_type):
        return Rejected(Reason.UNSUPPORTED_FORMAT, NOT_JSON)
    try:
        return parse_json(value)
    except Rejected as rejected:
        return rejected


def _is_json(media_type: str) -> bool:
    return media_type in ("", "application/json", "text/json") or media_type.endswith("+json")


def _base64(text: Any) -> bytes:
    if not isinstance(text, str):
        raise Rejected(Reason.INVALID_ENVELOPE, "data_base64: not a string")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Rejected(Reason.INVALID_ENVELOPE, "data_base64: not Base64") from None


def _text(value: bytes, name: str) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise Rejected(Reason.INVALID_TEXT, f"header {_safe(name)}: not UTF-8") from None
    if "\0" in text:
        raise Rejected(Reason.INVALID_TEXT, f"header {_safe(name)}: a NUL character")
    return text


def _safe(name: str) -> str:
    known = {"content-type", *(CE_PREFIX + attribute for attribute in (*REQUIRED, "subject", "time"))}
    return name if name in known else "(another)"


def _is_utf8_with_surrogates(value: bytes) -> bool:
    """Whether `value` is UTF-8 but for surrogates, which some encoders write as if they were characters."""
    try:
        value.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _with_large_numbers(value: bytes) -> Any:
    """JSON that has a number past a double's range, which orjson refuses; where an unknown field has it, it is of no
    account, as the short cut sees it too. No field of the contract takes an infinity."""
    try:
        parsed = json.loads(value.decode(), parse_int=_whole_or_infinite, parse_constant=_no_number)
        json.dumps(parsed, ensure_ascii=False).encode()
    except RecursionError:
        raise Rejected(Reason.INVALID_JSON, TOO_DEEP) from None
    except UnicodeEncodeError:
        raise Rejected(Reason.INVALID_TEXT, "a lone surrogate") from None
    except ValueError as error:
        raise Rejected(Reason.INVALID_JSON, f"not JSON in UTF-8 (at character {getattr(error, 'pos', 0)})") from None
    if _has_nul(parsed):
        raise Rejected(Reason.INVALID_TEXT, "a NUL character")
    return parsed


def _no_number(name: str) -> Any:
    raise ValueError(name)


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
    """Whether any string in `parsed`, names included, has a NUL; the depth is bounded by the parser."""
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
