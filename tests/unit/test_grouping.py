"""A batch is sorted to its entities."""

from typing import Any
from uuid import UUID

import pytest

from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Event, Ignored, Rejection
from neon_projector.projections.documents import DOCUMENTS
from neon_projector.projections.registry import REGISTRY
from neon_projector.projections.state.grouping import Change, complete_states, group, merged_changes
from neon_projector.projections.users import USERS
from tests.support.factories import ARecord, a_document_event, a_record, a_user_event

decode = Decoder(REGISTRY)


def test_events_go_to_their_entities_in_order_of_arrival() -> None:
    ann = a_user_event()
    later = a_user_event("updated", ann["data"]["id"], version=2, name="Bob")
    document = a_document_event(owner=ann["data"]["id"])
    bad, marker = ARecord(b"?"), ARecord(None)
    batch = [decode(a_record(later)), decode(bad), decode(a_record(document)), decode(marker), decode(a_record(ann))]
    grouped = group(batch)
    assert isinstance(batch[0], Event)
    assert grouped.events["user"] == {batch[0].id: [batch[0], batch[4]]}
    assert list(grouped.events["document"].values()) == [[batch[2]]]
    assert isinstance(batch[1], Rejection)
    assert grouped.rejections == [batch[1]]
    assert isinstance(batch[3], Ignored)
    assert grouped.ignored == [batch[3]]


def test_an_empty_batch_is_nothing() -> None:
    assert (group([]).events, group([]).rejections) == ({}, [])


@pytest.mark.parametrize(
    ("events", "is_plain"),
    [
        ([a_user_event()], True),
        ([a_user_event("updated", name="Bob")], False),
        ([a_user_event("deleted")], False),
        ([a_user_event(), a_user_event(version=2)], True),
        ([a_user_event(version=2), a_user_event()], False),
        ([a_user_event(), a_user_event()], False),
        ([a_user_event(), a_user_event("deleted", version=2)], False),
        ([a_user_event(version=number) for number in (3, 4, 7, 90)], True),
        ([a_user_event(version=number) for number in (3, 4, 7, 7)], False),
    ],
    ids=["complete", "partial", "deleted", "two", "falling", "same", "two kinds", "several", "the last ones same"],
)
def test_complete_states_of_rising_versions_are_plain(events: list[dict[str, Any]], *, is_plain: bool) -> None:
    other, another = UUID(int=1), UUID(int=2)
    decoded = [one for event in events if isinstance(one := decode(a_record(event)), Event)]
    single = decode(a_record(a_user_event()))
    assert isinstance(single, Event)
    newest, oldest = complete_states({another: [single], other: decoded})
    assert newest == {another: single} | ({other: decoded[-1]} if is_plain else {})
    assert oldest == ({other: decoded[0].version} if is_plain and len(decoded) > 1 else {})


@pytest.mark.parametrize(
    ("events", "change"),
    [
        ([("updated", 2, {"name": "Bob"})], (1, 2, {"name": "Bob"})),
        (
            [("updated", 2, {"name": "Bob"}), ("updated", 3, {"is_active": False})],
            (1, 3, {"name": "Bob", "is_active": False}),
        ),
        ([("updated", 2, {"name": "Bob"}), ("updated", 3, {"name": "Cy"})], (1, 3, {"name": "Cy"})),
        ([("updated", 2, {"name": "Bob"}), ("updated", 4, {"name": "Cy"})], None),
        ([("updated", 3, {"name": "Bob"}), ("updated", 2, {"name": "Cy"})], None),
        ([("updated", 2, {"name": "Bob"}), ("updated", 2, {"name": "Bob"})], None),
        ([("updated", 2, {"email": "bob@example.com"})], None),
        ([("updated", 2, {"name": "Bob"}), ("deleted", 3, {})], None),
        ([("created", 1, {}), ("updated", 2, {"name": "Bob"})], None),
    ],
    ids=["one", "two", "one after the other", "a gap", "falling", "same", "unique", "deleted", "complete"],
)
def test_partial_events_without_a_gap_are_one_change_of_the_version_before(
    events: list[tuple[str, int, dict[str, Any]]], change: tuple[int, int, dict[str, Any]] | None
) -> None:
    ann = UUID(int=1)
    given = [decode(a_record(a_user_event(kind, ann, version, **data))) for kind, version, data in events]
    found = merged_changes({ann: [one for one in given if isinstance(one, Event)]}, USERS.changeable)
    if change is None:
        assert found == {}
    else:
        base, version, fields = change
        at = {"updated_at": found[ann].fields["updated_at"]}
        assert found == {ann: Change(base, version, fields | at)}


def test_a_change_that_depends_on_what_was_there_is_no_mere_change() -> None:
    notes = UUID(int=1)
    moved = a_document_event(
        "ownership_transferred", notes, 2, from_user_id=str(UUID(int=2)), to_user_id=str(UUID(int=3))
    )
    decoded = decode(a_record(moved))
    assert isinstance(decoded, Event)
    assert merged_changes({notes: [decoded]}, DOCUMENTS.columns) == {}
