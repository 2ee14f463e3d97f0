"""CloudEvents 1.0 by its Kafka protocol binding, structured and binary mode (section 3 of the binding)."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from neon_projector.projections.contract.fields import parse_time
from neon_projector.projections.contract.headers import CE_PREFIX, header_text, is_binary
from neon_projector.projections.contract.no_envelope import (
    format_of,
    missing_attribute,
    no_envelope,
    specversion,
    structured_format,
)
from neon_projector.projections.contract.outcome import Reason, Rejected
from neon_projector.projections.contract.problem_values import time_problem
from neon_projector.projections.contract.strict_json import parse_json
from neon_projector.projections.contract.words.kinds import kind_of
from neon_projector.projections.contract.words.of_data import A_STRING, AT_LEAST_CHARACTERS
from neon_projector.projections.contract.words.of_envelopes import DATA_FORMAT, DATA_TWICE, NOT_BASE64, VALUE_FORMAT

REQUIRED = ("specversion", "id", "source", "type")
MISSING: Any = object()
_INVALID = Reason.INVALID_ENVELOPE
_SIGNS = ("specversion", "type", "source")
"""A structured CloudEvent has at least one of these."""


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
            raise structured_format(media_type)
        return _structured(value, headers)
    if is_binary(headers):
        attributes = {
            name[len(CE_PREFIX) :]: header_text(text, name)
            for name, text in headers.items()
            if name.startswith(CE_PREFIX)
        }
        data = _read_data(value, media_type, "content-type") if value else MISSING
        return _envelope(attributes, data, CE_PREFIX)
    if media_type not in ("", "application/json"):
        raise VALUE_FORMAT.rejected(came=format_of(media_type))
    return _structured(value, headers)


def _structured(value: bytes, headers: Mapping[str, bytes]) -> Envelope:
    attributes = parse_json(value)
    if not isinstance(attributes, dict) or attributes.keys().isdisjoint(_SIGNS):
        raise no_envelope(attributes, headers)
    data = attributes.get("data", MISSING)
    content_type = attributes.get("datacontenttype")
    if not isinstance(content_type, str | None):
        raise A_STRING.rejected(_INVALID, field="datacontenttype", came=kind_of(content_type))
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if (encoded := attributes.get("data_base64")) is not None:
        if data is not MISSING:
            raise DATA_TWICE.rejected()
        data = _read_data(_base64(encoded), media_type, "datacontenttype")
    elif not _is_json(media_type):
        data = DATA_FORMAT.rejected(field="datacontenttype", came=format_of(media_type))
    return _envelope(attributes, data)


def _envelope(attributes: Mapping[str, Any], data: Any, prefix: str = "") -> Envelope:
    """`prefix` stands before the attributes' names in binary mode."""
    for name in REQUIRED:
        value = attributes.get(name)
        if name not in attributes:
            raise missing_attribute(prefix + name, data if prefix else None)
        if not isinstance(value, str):
            raise specversion(prefix, value) if name == "specversion" else _no_string(prefix + name, value)
        if not value:
            raise AT_LEAST_CHARACTERS.rejected(_INVALID, field=prefix + name, least=1)
    if attributes["specversion"] != "1.0":
        raise specversion(prefix, attributes["specversion"])
    subject = attributes.get("subject")
    if subject is not None and not isinstance(subject, str):
        raise _no_string(prefix + "subject", subject)
    time = attributes.get("time")
    if time is not None:
        try:
            time = parse_time(time)
        except ValueError:
            raise time_problem(prefix + "time", time, _INVALID) from None
    return Envelope(attributes["id"], attributes["source"], attributes["type"], subject, time, data)


def _read_data(value: bytes, media_type: str, field: str) -> Any:
    if not _is_json(media_type):
        return DATA_FORMAT.rejected(field=field, came=format_of(media_type))
    try:
        return parse_json(value)
    except Rejected as rejected:
        place = "data_base64" if field == "datacontenttype" else "the value"
        return Rejected(rejected.reason, rejected.error.replace("the value", place, 1))


def _is_json(media_type: str) -> bool:
    return media_type in ("", "application/json", "text/json") or media_type.endswith("+json")


def _base64(text: Any) -> bytes:
    if not isinstance(text, str):
        raise _no_string("data_base64", text)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NOT_BASE64.rejected() from None


def _no_string(field: str, value: Any) -> Rejected:
    return A_STRING.rejected(_INVALID, field=field, came=kind_of(value))
