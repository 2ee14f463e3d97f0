"""What publishers read about the fields that every entity has, and about an event's attributes."""

from collections.abc import Mapping
from uuid import NAMESPACE_OID, uuid5

from neon_projector.projections.contract.projection import EventType, Kind, Projection, Words

NOON = "2026-11-22T12:00:00Z"
EVENT_ID = "b6f6d1e0-5d5b-4f0e-9c57-3f1c2a7e4d10"

ATTRIBUTES: Mapping[str, Words] = {
    "specversion": Words("CloudEvents version", 'A string, in JSON with quotes: "1.0".', "1.0"),
    "id": Words(
        "Event id", "Names this event among all of its source. The service keeps it for dead letters.", EVENT_ID
    ),
    "source": Words("Source", "Who publishes. Dead letters and warnings name it.", "/shop/accounts"),
    "type": Words("Type", "What has happened.", "user.created"),
    "subject": Words(
        "Subject", "The entity's id, the same UUID as `data.id`. May be left out.", str(uuid5(NAMESPACE_OID, "user"))
    ),
    "time": Words(
        "Time",
        "When it happened: RFC 3339 with a zone. It stands for `created_at` and `updated_at` where `data` has none.",
        NOON,
    ),
    "datacontenttype": Words("Media type of the data", "JSON. Left out, it is JSON too.", "application/json"),
    "dataschema": Words("Schema of the data", "A URI. The service does not read it.", "urn:example:user-created"),
    "data": Words("Data", "What has happened, in fields.", {}),
    "data_base64": Words("Data in Base64", "The same JSON, in Base64; in place of `data`.", "e30="),
    "traceparent": Words(
        "Trace", "W3C Trace Context. Kept with what waits or is rejected; the service's own traces link to it.",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ),
    "tracestate": Words("Trace state", "W3C Trace Context. The service does not read it.", "vendor=value"),
}  # fmt: skip
"""The attributes of CloudEvents 1.0 and its extension for traces, by name."""


def words_of(projection: Projection, name: str) -> Words:
    """What publishers read about a field of `data`. ValueError where its projection says nothing about it."""
    entity = projection.entity
    common = {
        "id": Words(
            f"Id of the {entity}",
            "A UUID. The record's key is the same UUID as text, so that Kafka keeps the order of the events.",
            example_id(projection),
        ),
        "version": Words(
            f"Version of the {entity}",
            "The number of this change: the first is 1, each next one is higher by 1, also after a deletion. "
            "No number is left out.",
            1,
        ),
        "created_at": Words(
            "Created at",
            f"When the {entity} was created: RFC 3339 with a zone, kept to the microsecond. Absent: the event's time.",
            NOON,
        ),
        "updated_at": Words(
            "Updated at",
            f"When the {entity} was last changed: RFC 3339 with a zone, kept to the microsecond. "
            "Absent: the event's time.",
            NOON,
        ),
    }
    known = {**common, **projection.words}
    if name not in known:
        raise ValueError(f"{entity}: its projection has no words about the field {name}")
    return known[name]


def example_id(projection: Projection) -> str:
    """The id of this entity in all examples."""
    return str(uuid5(NAMESPACE_OID, projection.entity))


def meaning_of(event_type: EventType) -> str:
    """What this kind of event does to the entity's state."""
    return {
        Kind.COMPLETE: "A complete event: it carries the whole state.",
        Kind.PARTIAL: "A partial event: it changes the state of the version before. An absent field is unchanged.",
        Kind.DELETED: "A complete event: the entity is deleted. A complete event of a higher version brings it back.",
    }[event_type.kind]
