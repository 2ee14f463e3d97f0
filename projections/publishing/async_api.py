"""The contract as one AsyncAPI 3.1 document: both content modes, each with its headers, its key and an example."""

from collections.abc import Iterator

from neon_projector.projections.contract.projection import EventType, Projection, Registry
from neon_projector.projections.publishing.data_schema import data_schema
from neon_projector.projections.publishing.examples import data_example, event_example, headers_example
from neon_projector.projections.publishing.form import BY_FORMAT, Form, Schema
from neon_projector.projections.publishing.json_schema import FOR, event_schema
from neon_projector.projections.publishing.message_headers import STRUCTURED, binary_headers, structured_headers
from neon_projector.projections.publishing.unsaid import in_words
from neon_projector.projections.publishing.words import example_id, meaning_of

VERSION = "3.1.0"
BINDING = "0.5.0"
"""Of AsyncAPI's Kafka binding."""


def async_api(registry: Registry, version: str, form: Form) -> Schema:
    """The document. Its only references are those within itself that AsyncAPI demands."""
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "Neon Projector's event contract",
            "version": version,
            "description": f"CloudEvents 1.0 by the Kafka protocol binding, in either content mode. {FOR[form]}\n\n"
            f"No schema can state these rules:\n\n{in_words()}",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {p.default_topic: _channel(registry, p, form) for p in registry},
        "operations": {f"read_{p.default_topic}": _operation(p) for p in registry},
    }


def _channel(registry: Registry, projection: Projection, form: Form) -> Schema:
    messages: Schema = {}
    for event_type in projection.event_types:
        for name, message in _messages(registry, projection, event_type, form):
            messages[name] = message
    return {
        "address": projection.default_topic,
        "title": f"Events of {projection.default_topic}",
        "description": f"The topic has this name by default; the service's {projection.topic_setting} sets another. "
        "If the tables are to be provable, it keeps everything: `retention.ms=-1`, `cleanup.policy=delete`.",
        "messages": messages,
        "bindings": {"kafka": {"topic": projection.default_topic, "bindingVersion": BINDING}},
    }


def _operation(projection: Projection) -> Schema:
    channel = f"#/channels/{projection.default_topic}"
    messages = [
        f"{event_type.name}.{mode}" for event_type in projection.event_types for mode in ("structured", "binary")
    ]
    return {
        "action": "receive",
        "channel": {"$ref": channel},
        "title": f"Read {projection.default_topic}",
        "summary": f"The service reads them, and keeps the table {projection.table.name} up to date.",
        "messages": [{"$ref": f"{channel}/messages/{name}"} for name in messages],
    }


def _messages(
    registry: Registry, projection: Projection, event_type: EventType, form: Form
) -> Iterator[tuple[str, Schema]]:
    """The message of this type in each mode, with its name."""
    yield (
        f"{event_type.name}.structured",
        {
            **_said(projection, event_type, "structured", "The value is the whole event."),
            "contentType": STRUCTURED,
            "headers": structured_headers(form),
            "payload": event_schema(registry, projection, event_type, form),
            "examples": [{"headers": {"content-type": STRUCTURED}, "payload": event_example(projection, event_type)}],
        },
    )
    yield (
        f"{event_type.name}.binary",
        {
            **_said(projection, event_type, "binary", "The attributes are headers, the value is the data."),
            "contentType": "application/json",
            "headers": binary_headers(projection, event_type, form),
            "payload": data_schema(registry, projection, event_type, form),
            "examples": [
                {"headers": headers_example(projection, event_type), "payload": data_example(projection, event_type)}
            ],
        },
    )


def _said(projection: Projection, event_type: EventType, mode: str, how: str) -> Schema:
    key = {"type": "string", **BY_FORMAT["uuid"][Form.STRICT], "examples": [example_id(projection)]}
    key = {"title": "Key", "description": "`data.id` as text, in UTF-8.", **key}
    return {
        "name": event_type.name,
        "title": f"{event_type.title} ({mode} mode)",
        "summary": how,
        "description": meaning_of(event_type),
        "bindings": {"kafka": {"key": key, "bindingVersion": BINDING}},
    }
