"""`explain --from-topic` folds an id's records one by one, and says what became of each."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from aiokafka import TopicPartition

from neon_projector.consumer.admin.explain.steps import steps
from neon_projector.consumer.admin.kept import WHOLE, Kept
from neon_projector.consumer.admin.left_topics import Left
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.registry import REGISTRY
from tests.support.factories import ARecord, a_document_event, a_record, a_user_event

ADA, NOTES = UUID(int=1), UUID(int=3)
NOTHING: dict[str, Any] = {"id": ADA, "rows": [], "aside": [], "parked": [], "dead_letters": []}


def folded(*events: Any, story: dict[str, Any] = NOTHING, read: int = 100, kept: Kept = WHOLE) -> list[dict[str, Any]]:
    """The steps of these events, one after the other in one partition; bytes are a record that is no event."""
    records = [ARecord(e, str(ADA).encode()) if isinstance(e, bytes) else a_record(e) for e in events]
    decoded = [Decoder(REGISTRY)(one.at(offset)) for offset, one in enumerate(records)]
    return steps(decoded, story, {TopicPartition("users", 0): read}, REGISTRY.event_types, kept)


def test_each_step_says_what_it_would_do_and_which_columns_it_changes() -> None:
    rows = folded(
        a_user_event(id=ADA, name="one", email="a@example.com"),
        a_user_event("updated", ADA, 3, email="three@example.com"),
        a_user_event("updated", ADA, 2, name="two"),
        a_user_event("updated", ADA, 2, name="two"),
        a_user_event(id=ADA, version=3, name="other"),
        a_user_event("deleted", ADA, 4),
        b"{no JSON",
        json.dumps(a_user_event(id=ADA) | {"type": "user.renamed"}).encode(),
        json.dumps(a_user_event(id=ADA) | {"type": "UserDeleted"}).encode(),
    )
    assert [(row["version"], row["would"]) for row in rows] == [
        (1, "applied"),
        (3, "parked: a version before it is missing"),
        (2, "applied, with version 3"),
        (2, "superseded"),
        (3, "rejected: version_conflict"),
        (4, "applied"),
        (None, "rejected: invalid_json"),
        (None, "ignored: no type that this service knows"),
        (None, "ignored: no type that this service knows; did you mean user.deleted?"),
    ]
    assert rows[0]["changes"] == ["created_at", "email", "is_active", "name", "updated_at"]
    assert [row["changes"] for row in rows[1:4]] == [[], ["email", "name"], []]


def test_what_is_created_again_below_its_deletion_is_said_to_be_below_it() -> None:
    rows = folded(a_user_event("deleted", ADA, 5), a_user_event(id=ADA), a_user_event("updated", ADA, 2, name="x"))
    said = "superseded: it was deleted at version 5, and numbering goes on after that"
    assert [row["would"] for row in rows] == ["applied", said, "superseded"]


def test_each_step_says_what_became_of_it() -> None:
    letter = {"id": 7, "topic": "users", "partition": 0, "offset": 2}
    parked = {"topic": "users", "partition": 0, "offset": 3}
    story = NOTHING | {"rows": [{"entity": "user", "version": 1}], "dead_letters": [letter], "parked": [parked]}
    changes = [a_user_event("updated", ADA, version, name="x") for version in (2, 5)]
    rows = folded(a_user_event(id=ADA), changes[0], b"no", changes[1], b"no", a_user_event(id=ADA), story=story, read=5)
    assert [row["did"] for row in rows] == ["stored", "missing", "rejected", "parked", "read", "unread"]
    assert [row["dead_letter"] for row in rows] == [None, None, 7, None, None, None]


def test_what_became_of_records_of_an_earlier_topic_is_not_said_of_those_that_have_their_places() -> None:
    then, later = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    users = TopicPartition("users", 0)
    at = {"topic": "users", "partition": 0}
    letters = [at | {"id": 7, "offset": 0, "created_at": then}, at | {"id": 8, "offset": 2, "created_at": later}]
    parked = [at | {"offset": 1, "since": then}, at | {"offset": 3, "since": later}]
    story = NOTHING | {"rows": [{"entity": "user", "version": 9}], "dead_letters": letters, "parked": parked}
    events = [a_user_event("updated", ADA, version, name="x") for version in (2, 3, 4, 5, 6)]
    left = Kept(left={users: Left(17, datetime(2026, 1, 15, tzinfo=UTC))})
    rows = folded(*events, story=story, read=4, kept=left)
    assert [(row["did"], row["dead_letter"]) for row in rows] == [
        ("stored", None), ("stored", None), ("rejected", 8), ("parked", None), ("unread", None),
    ]  # fmt: skip
    gone = folded(*events, story=story, kept=Kept(gone={users: "it was created again"}))
    assert {(row["did"], row["dead_letter"]) for row in gone} == {("unread", None)}


def test_an_event_of_another_that_mentions_the_id_is_left_out_and_two_entities_of_one_id_are_two() -> None:
    rows = folded(a_user_event(id=ADA), a_document_event(id=NOTES, owner=ADA), a_document_event(id=ADA, owner=NOTES))
    assert [(row["entity"], row["would"]) for row in rows] == [("document", "applied"), ("user", "applied")]


def test_records_of_several_partitions_are_in_order_of_their_timestamps() -> None:
    later = a_record(a_user_event(id=ADA), timestamp=2_000)
    sooner = a_record(a_user_event("updated", ADA, 2, name="two"), timestamp=1_000, partition=1)
    rows = steps([Decoder(REGISTRY)(one) for one in (later, sooner)], NOTHING, {})
    assert [(row["partition"], row["would"]) for row in rows] == [
        (1, "parked: a version before it is missing"), (0, "applied, with version 2"),
    ]  # fmt: skip
