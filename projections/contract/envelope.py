"""CloudEvents 1.0 by its Kafka protocol binding, structured and binary mode (section 3 of the binding)."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from neon_projector.projections.contract.fields import parse_time
from neon_projector.projections.contract.headers import CE_PREFIX, header_text, is_binary
from neon_projector.projections.contract.outcome import Reason, Rejected
from neon_projector.projections.contract.strict_json import parse_json

REQUIRED = ("specversion", "id", "source", "type")
MISSING: Any = object()
NOT_JSON = "the data's content type is not JSON"


@dataclass(slots=True)
class Envelope:
    """The attributes of an event that this service reads, and its data.

    `data` is `MISSING` if the event has none, and a Rejected if it cannot be read. The decoder raises that only for an
    event type of the registry.
    """

    id: str
    source: str
    type: str
    subject: str | None
    time: datetime | None
    data: Any


def read_envelope(value: bytes, headers: Mapping[str, bytes]) -> Envelope:
    """Read a record's value with its headers. Rejected if it is not a CloudEvent of version 1.0."""
    media_type = header_text(headers.get("content-type", b""), "content-type").partition(";")[0].strip().lower()
    if media_type.startswith("application/cloudevents"):
        if media_type not in ("application/cloudevents", "application/cloudevents+json"):
            raise Rejected(Reason.UNSUPPORTED_FORMAT, "content-type: of structured events only JSON is read")
        return _structured(value)
    if is_binary(headers):
        attributes = {
            name[len(CE_PREFIX) :]: header_text(text, name)
            for name, text in headers.items()
            if name.startswith(CE_PREFIX)
        }
        return _envelope(attributes, _read_data(value, media_type) if value else MISSING)
    if media_type not in ("", "application/json"):
        raise Rejected(Reason.UNSUPPORTED_FORMAT, "content-type: neither a CloudEvent nor JSON")
    return _structured(value)


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
