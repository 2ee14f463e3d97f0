"""What a record is that is no CloudEvent: a batch, bare data, another format, headers of another binding."""

import re
from collections.abc import Mapping
from typing import Any

from neon_projector.projections.contract.outcome import Reason, Rejected
from neon_projector.projections.contract.words.kinds import kind_of
from neon_projector.projections.contract.words.of_data import REQUIRED
from neon_projector.projections.contract.words.of_envelopes import (
    BARE,
    BATCH,
    HTTP_HEADERS,
    NOT_AN_OBJECT,
    SPECVERSION,
    STRUCTURED_FORMAT,
    TWO_MODES,
)

_FORMATS = {
    "avro": "Avro", "protobuf": "Protobuf", "xml": "XML", "msgpack": "MessagePack", "cbor": "CBOR", "yaml": "YAML",
    "csv": "CSV", "html": "HTML", "octet-stream": "plain bytes", "form": "a form", "text/": "plain text",
}  # fmt: skip
"""What a media type contains, and what the format is called."""
_PREFIXES = ("ce-", "cloudevents:", "cloudevents_", "ce:", "ce.")
"""How attributes begin in other bindings (HTTP, AMQP, MQTT, NATS), or by mistake."""


def format_of(media_type: str) -> str:
    """The name of a format, of those that are known."""
    return next((name for part, name in _FORMATS.items() if part in media_type), "another format")


def structured_format(media_type: str) -> Rejected:
    """Rejects a structured event that is not JSON."""
    if "batch" in media_type:
        return BATCH.rejected(Reason.UNSUPPORTED_FORMAT, many="")
    return STRUCTURED_FORMAT.rejected(came=format_of(media_type))


def no_envelope(value: Any, headers: Mapping[str, bytes]) -> Rejected:
    """Rejects JSON that is no CloudEvent in structured mode, where no `ce_` header makes it one in binary mode."""
    if isinstance(value, list):
        return BATCH.rejected(many=f" (an array of {len(value)})")
    if not isinstance(value, dict):
        return NOT_AN_OBJECT.rejected(came=kind_of(value))
    for prefix in _PREFIXES:
        if any(name.startswith(prefix) for name in headers):
            return HTTP_HEADERS.rejected(came=prefix)
    changed = {"op", "after"} <= value.keys() or {"schema", "payload"} <= value.keys()
    return BARE.rejected(
        came="a change record of Debezium" if changed else "an object without specversion, type and source"
    )


def missing_attribute(field: str, data: Any) -> Rejected:
    """Rejects an event without `field`. `data` is that of an event in binary mode."""
    twice = isinstance(data, dict) and {"specversion", "type"} <= data.keys()
    return (TWO_MODES if twice else REQUIRED).rejected(Reason.INVALID_ENVELOPE, field=field)


def specversion(prefix: str, value: Any) -> Rejected:
    """Rejects another version than `1.0`, or the same in another form."""
    if not isinstance(value, str):
        return SPECVERSION.rejected(prefix=prefix, wanted='"1.0" as a string', came=kind_of(value))
    if value.strip('"') == "1.0":
        return SPECVERSION.rejected(prefix=prefix, wanted="1.0 without quotes inside", came='"1.0" in quotes')
    short = re.fullmatch(r"[0-9]\.[0-9]|[0-9]", value)
    return SPECVERSION.rejected(prefix=prefix, wanted='"1.0"', came=value if short else kind_of(value))
