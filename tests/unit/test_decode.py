"""What decoding makes of good records: events of every type, in either mode, and records that are none of ours."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Event, Ignored, Rejection
from neon_projector.projections.contract.outcome import Reason
from neon_projector.projections.contract.projection import Kind
from neon_projector.projections.registry import REGISTRY
from tests.support.factories import (
    ARecord,
    a_binary_record,
    a_document_event,
    a_record,
    a_user_event,
    an_event,
)

decode = Decoder(REGISTRY)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ANN, BOB = uuid4(), uuid4()

EVERY_TYPE: list[tuple[dict[str, Any], Kind, dict[str, Any]]] = [
    (
        a_user_event("created", email="ada@example.com", is_active=False),
        Kind.COMPLETE,
        {"email": "ada@example.com", "name": "Ada", "is_active": False, "created_at": NOON, "updated_at": NOON},
    ),
    (a_user_event("updated", version=2, name="Bob"), Kind.PARTIAL, {"name": "Bob", "updated_at": NOON}),
    (a_user_event("deleted", version=3), Kind.DELETED, {}),
    (
        a_document_event("created", owner=ANN, content="text"),
        Kind.COMPLETE,
        {"title": "Notes", "content": "text", "user_id": ANN, "created_at": NOON, "updated_at": NOON},
    ),
    (a_document_event("updated", version=2, content=None), Kind.PARTIAL, {"content": None, "updated_at": NOON}),
    (
        a_document_event("ownership_transferred", version=3, from_user_id=ANN, to_user_id=BOB),
        Kind.PARTIAL,
        {"user_id": BOB, "updated_at": NOON},
    ),
    (a_document_event("deleted", version=4), Kind.DELETED, {}),
]


def decoded(record: ARecord) -> Event:
    event = decode(record)
    assert isinstance(event, Event), event
    return event


def reason_of(record: ARecord) -> Reason:
    rejection = decode(record)
    assert isinstance(rejection, Rejection), rejection
    return rejection.reason


@pytest.mark.parametrize(("event", "kind", "fields"), EVERY_TYPE, ids=[event["type"] for event, _, _ in EVERY_TYPE])
@pytest.mark.parametrize("mode", [a_record, a_binary_record])
def test_every_type_in_either_mode(mode: Any, event: dict[str, Any], kind: Kind, fields: dict[str, Any]) -> None:
    found = decoded(mode(event))
    assert (found.type, found.kind, found.fields) == (event["type"], kind, fields)
    assert (found.id, found.version) == (UUID(event["data"]["id"]), event["data"]["version"])
    assert (found.event_id, found.source) == (event["id"], "/tests")
    assert found.entity == event["type"].partition(".")[0]


def test_a_transfer_expects_the_owner_before() -> None:
    event = a_document_event("ownership_transferred", version=2, from_user_id=ANN, to_user_id=BOB)
    assert decoded(a_record(event)).expects == {"user_id": ANN}


def test_the_type_decides_and_not_the_topic() -> None:
    assert decoded(a_record(a_document_event(), topic="users")).entity == "document"


def test_what_a_created_event_leaves_out_has_defaults() -> None:
    user, document = a_user_event(), a_document_event()
    for event in (user, document):
        del event["data"]["created_at"], event["data"]["updated_at"]
    user["time"] = "2026-11-22T15:00:00+02:00"
    found = decoded(a_record(user)).fields
    assert found["is_active"] is True
    assert found["created_at"] == found["updated_at"] == datetime(2026, 11, 22, 13, tzinfo=UTC)
    assert decoded(a_record(document)).fields["content"] is None


def test_an_update_without_its_own_time_has_the_events() -> None:
    event = a_user_event("updated", name="Bob", updated_at="2026-11-23T00:00:00Z")
    assert decoded(a_record(event)).fields["updated_at"] == datetime(2026, 11, 23, tzinfo=UTC)
    del event["data"]["updated_at"]
    assert decoded(a_record(event)).fields["updated_at"] == NOON


def test_an_event_needs_no_time_where_its_data_has_them() -> None:
    event = a_user_event()
    del event["time"]
    assert decoded(a_record(event)).fields["created_at"] == NOON


@pytest.mark.parametrize(
    ("event", "optional"),
    [
        (a_user_event(version=2, is_active=False), "is_active"),
        (a_document_event(version=2, content=None), "content"),
        (a_user_event(version=2, is_active=True), "created_at"),
        (a_document_event(version=2, content="x"), "user_id"),
    ],
)
def test_an_update_that_carries_everything_is_complete(event: dict[str, Any], optional: str) -> None:
    event = event | {"type": event["type"].replace("created", "updated")}
    found = decoded(a_record(event))
    assert (found.kind, found.type) == (Kind.COMPLETE, event["type"])
    del event["data"][optional]
    assert decoded(a_record(event)).kind is Kind.PARTIAL


@pytest.mark.parametrize("event", [a_user_event(is_active=False), a_document_event(content=None)])
def test_an_update_that_lacks_only_its_own_time_is_complete_at_any_version(event: dict[str, Any]) -> None:
    event = event | {"type": event["type"].replace("created", "updated"), "time": "2026-11-23T00:00:00Z"}
    del event["data"]["updated_at"]
    found = decoded(a_record(event))
    assert (found.kind, found.version) == (Kind.COMPLETE, 1)
    assert (found.fields["created_at"], found.fields["updated_at"]) == (NOON, datetime(2026, 11, 23, tzinfo=UTC))


@pytest.mark.parametrize(
    "event",
    [
        a_user_event("updated", version=1, name="x"),
        a_document_event("updated", version=1, content=None),
        a_document_event("ownership_transferred", version=1, from_user_id=UUID(int=1), to_user_id=UUID(int=2)),
    ],
)
def test_a_partial_event_of_version_1_would_wait_for_nothing(event: dict[str, Any]) -> None:
    rejection = decode(a_record(event))
    assert isinstance(rejection, Rejection)
    assert rejection.error == f"data.version: at least 2 for a part of the state ({event['type']}), 1 came"


def test_a_partial_update_holds_only_what_it_names() -> None:
    assert decoded(a_record(a_document_event("updated", title="New"))).fields.keys() == {"title", "updated_at"}


@pytest.mark.parametrize(
    "record",
    [
        a_record(an_event("user.renamed", {"id": "7"})),
        a_record(an_event("user.created.v2", {"id": "7"})),
        a_binary_record(an_event("order.paid", {"id": "7"})),
        a_record(an_event("order.paid", {"id": "7"}, datacontenttype="application/xml")),
        replace(a_binary_record(an_event("order.paid", {"id": "7"})), value=b"<order/>"),
        ARecord(None, b"7"),
        ARecord(None, b"7", (("trace", b"1"),)),
    ],
    ids=["unknown", "newer", "binary", "XML", "no JSON", "null value", "null value with a header"],
)
def test_what_is_none_of_ours_is_ignored(record: ARecord) -> None:
    assert isinstance(decode(record), Ignored)


@pytest.mark.parametrize(
    "content_type",
    [b"application/cloudevents+json", b"Application/CloudEvents+JSON; charset=UTF-8", b"application/json", b""],
)
def test_structured_mode_by_content_type(content_type: bytes) -> None:
    assert decoded(a_record(a_user_event(), headers=(("Content-Type", content_type),)))


def test_structured_mode_wins_over_ce_headers_where_the_content_type_says_so() -> None:
    headers = (("content-type", b"application/cloudevents+json"), ("ce_type", b"user.deleted"))
    assert decoded(a_record(a_user_event(), headers=headers)).type == "user.created"


def test_header_names_are_read_in_any_case_and_null_headers_not_at_all() -> None:
    record = a_binary_record(a_user_event())
    shouted = tuple((name.upper(), value) for name, value in record.headers)
    assert decoded(replace(record, headers=(*shouted, ("ce_subject", None), ("trace", None))))


def test_data_in_base64_is_read() -> None:
    event = a_user_event()
    encoded = base64.b64encode(json.dumps(event["data"]).encode()).decode()
    value = json.dumps({k: v for k, v in event.items() if k != "data"} | {"data_base64": encoded}).encode()
    assert decoded(ARecord(value)).id == UUID(event["data"]["id"])


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-22T12:00:00.123456999Z", NOON.replace(microsecond=123456)),
        ("2026-11-22t12:00:00.5z", NOON.replace(microsecond=500000)),
        ("2026-11-22T10:30:00-01:30", NOON),
        ("2026-11-22 12:00:00-00:00", NOON),
    ],
)
def test_times_are_utc_and_cut_to_microseconds(text: str, time: datetime) -> None:
    assert decoded(a_record(a_user_event(created_at=text))).fields["created_at"] == time


def test_lengths_count_characters() -> None:
    assert decoded(a_record(a_user_event(name="é" * 100))).fields["name"] == "é" * 100
    assert decoded(a_record(a_document_event(title="𝄞" * 255))).fields["title"] == "𝄞" * 255


def test_the_highest_version_is_that_of_a_bigint() -> None:
    assert decoded(a_record(a_user_event("deleted", version=2**63 - 1))).version == 2**63 - 1


@pytest.mark.parametrize("spelling", [str, lambda i: str(i).upper(), lambda i: i.hex, lambda i: i.urn])
def test_key_and_subject_are_compared_as_uuids(spelling: Any) -> None:
    event = a_user_event()
    name = spelling(UUID(event["data"]["id"]))
    assert decoded(a_record(event | {"subject": name}, key=name.encode()))


def test_a_record_needs_no_key() -> None:
    assert decoded(a_record(a_user_event(), key=None))


def test_unknown_fields_and_a_password_are_left_out() -> None:
    event = decoded(a_record(a_user_event(password="hunter2", nickname="Lovelace") | {"traceparent": "00-1"}))
    assert "hunter2" not in str(event.fields)
    assert event.fields.keys() == {"email", "name", "is_active", "created_at", "updated_at"}


def test_the_longest_value_is_a_setting() -> None:
    record = a_record(a_user_event())
    assert record.value is not None
    assert isinstance(Decoder(REGISTRY, max_bytes=len(record.value))(record), Event)
    assert isinstance(Decoder(REGISTRY, max_bytes=len(record.value) - 1)(record), Rejection)


def test_text_that_only_looks_like_a_nul_is_text() -> None:
    assert decoded(a_record(a_user_event(name="\\u0000"))).fields["name"] == "\\u0000"


def test_bad_json_that_has_an_unusual_letter_is_bad_json() -> None:
    assert reason_of(ARecord('{"name": "한"'.encode())) is Reason.INVALID_JSON


@pytest.mark.parametrize("mode", [a_record, a_binary_record])
def test_a_rejection_says_what_could_be_read(mode: Any) -> None:
    event = a_user_event(version=0)
    rejection = decode(mode(event))
    assert isinstance(rejection, Rejection)
    assert (rejection.event_id, rejection.source, rejection.type) == (event["id"], "/tests", "user.created")
    assert rejection.entity_id == UUID(event["data"]["id"])
    assert rejection.error == "data.version: at least 1, 0 came"


def test_the_envelope_of_unreadable_data_is_kept() -> None:
    event = a_user_event()
    rejection = decode(a_binary_record(event, value=b"{"))
    assert isinstance(rejection, Rejection)
    assert (rejection.event_id, rejection.type) == (event["id"], "user.created")
    assert rejection.entity_id == UUID(event["data"]["id"]), "the key names it"


ADA, OWNER, EVENT = UUID(int=1), UUID(int=2), UUID(int=3)
BAD = a_user_event(id=ADA, version=0) | {"id": str(EVENT)}


@pytest.mark.parametrize(
    ("record", "about"),
    [
        (a_record(BAD), ADA),
        (a_record(BAD, key=None), ADA),
        (a_record(BAD, key=str(OWNER).encode()), ADA),
        (ARecord(b"{no JSON", str(ADA).encode()), ADA),
        (ARecord(b"{no JSON", b"no UUID"), None),
        (ARecord(b"{no JSON"), None),
        (a_binary_record(BAD, value=json.dumps(BAD).encode()), ADA),
        (a_binary_record(BAD | {"subject": str(ADA)}, value=json.dumps(BAD).encode(), key=None), ADA),
        (a_binary_record(BAD, value=json.dumps(BAD["data"] | {"id": str(EVENT)}).encode()), ADA),
        (a_binary_record(BAD, value=json.dumps(BAD["data"] | {"id": str(EVENT)}).encode(), key=None), EVENT),
        (a_binary_record(BAD | {"subject": str(ADA)}, value=b"{", key=None), ADA),
        (a_record(BAD, value=json.dumps(BAD | {"data": []}).encode()), ADA),
    ],
)
def test_a_rejection_is_of_the_entity_that_data_key_or_subject_name(record: Any, about: UUID | None) -> None:
    rejection = decode(record)
    assert isinstance(rejection, Rejection)
    assert rejection.entity_id == about
