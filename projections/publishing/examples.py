"""An example of each event type, which the decoder reads and both forms of the schema accept."""

import json
from typing import Any

from neon_projector.projections.contract.projection import EventType, Projection
from neon_projector.projections.publishing.words import ATTRIBUTES, example_id, words_of

Example = dict[str, Any]


def data_example(projection: Projection, event_type: EventType) -> Example:
    """Its `data`: all fields; of a partial event one that changes. Versions rise in the order of the types."""
    names = [*event_type.adapter.json_schema()["properties"]]
    changing = [name for name in names if name in event_type.changes]
    example = {name: words_of(projection, name).example for name in names if name not in changing[1:]}
    return {**example, "version": version_of(projection, event_type)}


def whole_example(projection: Projection, event_type: EventType, complete: EventType) -> Example:
    """The `data` of an event that is read as `complete` as it has all of its fields."""
    return {**data_example(projection, complete), "version": version_of(projection, event_type)}


def version_of(projection: Projection, event_type: EventType) -> int:
    return projection.event_types.index(event_type) + 1


def attributes_of(projection: Projection, event_type: EventType) -> Example:
    """An event's attributes, without its data."""
    example = {name: ATTRIBUTES[name].example for name in ("specversion", "id", "source", "type", "subject", "time")}
    return {**example, "type": event_type.name, "subject": example_id(projection)}


def event_example(projection: Projection, event_type: EventType) -> Example:
    """The event in structured form."""
    data = data_example(projection, event_type)
    return {**attributes_of(projection, event_type), "datacontenttype": "application/json", "data": data}


def headers_example(projection: Projection, event_type: EventType) -> dict[str, str]:
    """The record's headers in binary mode."""
    attributes = attributes_of(projection, event_type)
    return {"content-type": "application/json"} | {f"ce_{name}": str(value) for name, value in attributes.items()}


def compact(example: Example) -> bytes:
    """As a publisher would send it."""
    return json.dumps(example, ensure_ascii=False).encode()
