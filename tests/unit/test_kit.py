"""The testing kit of publishers: one record by itself, and events folded in memory, without a server or a setting."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from neon_projector import projections
from neon_projector.projections import assert_projectable, check
from neon_projector.projections.checking import warnings
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Rejection
from neon_projector.projections.kit.projectable import names_of_warnings, projected
from neon_projector.projections.registry import REGISTRY
from tests.support.comments import WITH_COMMENTS
from tests.support.factories import TIME, ARecord, a_binary_record, a_document_event, a_user_event, an_event
from tests.support.mistaken_records import ALL_BAD_RECORDS

ADA, EVE, NOTES = UUID(int=1), UUID(int=2), UUID(int=3)
ada, eve, notes = a_user_event(id=ADA), a_user_event(id=EVE), a_document_event(id=NOTES, owner=ADA)


def found(*events: Any, strict: bool = False) -> list[tuple[int, str, int | None]]:
    """By event what is wrong with it: the reason, and the event that it clashes with."""
    problems = projected(REGISTRY, events, strict=strict)[1]
    assert all(one.said and one.mend and "{" not in one.said + one.mend for one in problems)
    return [(one.line, one.reason, one.other_line) for one in problems]


@pytest.mark.parametrize("bad", ALL_BAD_RECORDS, ids=lambda bad: bad.name)
def test_of_a_bad_record_the_kit_says_what_the_decoder_says(bad: Any) -> None:
    problems = check(bad.record.value, bad.record.headers, bad.record.key)
    rejected = Decoder(REGISTRY)(bad.record)
    assert isinstance(rejected, Rejection)
    assert "; ".join(one.said for one in problems) == rejected.error
    assert {(one.reason, one.warning, bool(one.mend)) for one in problems} == {(bad.reason, False, True)}


def test_a_right_record_has_no_problem_however_it_is_handed_over() -> None:
    record = a_binary_record(ada)
    assert check(record.value, record.headers, record.key) == []
    text = {name: value.decode() for name, value in record.headers if value is not None}
    assert check((record.value or b"").decode(), text, str(ADA)) == []
    (problem,) = check(record.value, text, str(EVE))
    assert problem.said.startswith("key: the UUID of data.id, ")


@pytest.mark.parametrize(
    ("value", "reason"), [(json.dumps(an_event("UserCreated", {})), "unknown_type"), (None, "no_event")]
)
def test_what_is_ignored_is_a_warning(value: str | None, reason: str) -> None:
    (problem,) = check(value)
    assert (problem.reason, problem.warning) == (reason, True)


def test_a_field_under_another_name_is_a_warning_and_a_rejection_where_the_service_is_strict() -> None:
    value = json.dumps(a_user_event(isActive=False))
    assert [(one.reason, one.warning) for one in check(value)] == [("misnamed_field", True)]
    assert [(one.reason, one.warning) for one in check(value, strict=True)] == [("invalid_data", False)]
    assert found(a_user_event(isActive=False), strict=True) == [(1, "invalid_data", None)]


LIFE = [
    notes,
    ada,
    eve,
    a_user_event("updated", ADA, 3, name="Ada L."),
    a_user_event("updated", ADA, 2, is_active=False),
    a_document_event("ownership_transferred", NOTES, 2, from_user_id=ADA, to_user_id=EVE),
    a_document_event(id=UUID(int=4), owner=EVE),
    a_document_event("deleted", UUID(int=4), 2),
    ada,
]


def test_events_come_to_what_the_tables_would_show() -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    tables = assert_projectable(LIFE)
    assert list(tables) == ["users", "documents"]
    assert tables["users"][0] == {
        "id": ADA, "email": f"{ADA.hex}@example.com", "name": "Ada L.", "is_active": False,
        "created_at": noon, "updated_at": noon, "version": 3,
    }  # fmt: skip
    assert [(row["id"], row["user_id"], row["version"]) for row in tables["documents"]] == [(NOTES, EVE, 2)]
    assert tables.waiting == []


TRANSFER = a_document_event("ownership_transferred", NOTES, 2, from_user_id=EVE, to_user_id=EVE)
CASES: list[tuple[str, list[Any], list[tuple[int, str, int | None]]]] = [
    ("bad by itself", [ada, a_user_event(version=0)], [(2, "invalid_data", None)]),
    ("a lying key", [(str(EVE), (), json.dumps(ada))], [(1, "key_mismatch", None)]),
    ("the wrong owner", [ada, eve, notes, TRANSFER], [(4, "wrong_owner", None)]),
    ("after a deletion", [a_user_event("deleted", ADA), a_user_event("updated", ADA, 2, name="x")], [
        (2, "deleted", None)]),
    ("another content", [ada, a_user_event(id=ADA, name="x")], [(2, "version_conflict", None)]),
    ("another content that was overtaken", [ada, a_user_event(id=ADA, version=2), a_user_event(id=ADA, name="x")], [
        (3, "version_conflict", 1)]),
    ("refused when its base comes", [TRANSFER, ada, eve, notes], [(1, "wrong_owner", None)]),
    ("the right one after the wrong one", [ada, eve, notes, TRANSFER, a_document_event(
        "ownership_transferred", NOTES, 2, from_user_id=ADA, to_user_id=EVE)], [(4, "wrong_owner", None)]),
    ("no base", [a_user_event("updated", ADA, 2, name="x"), a_user_event("updated", ADA, 3, name="y")], [
        (1, "no_base", None)]),
    ("a gap", [ada, a_user_event("updated", ADA, 3, name="x")], [(2, "gap", 1)]),
    ("an unknown owner", [notes], [(1, "unknown_owner", None)]),
    ("a deleted owner", [ada, notes, a_user_event("deleted", ADA, 2)], [(2, "deleted_owner", 3)]),
    ("an owner who waits", [ada, a_user_event(id=EVE, email=ada["data"]["email"]), a_document_event(owner=EVE)], [
        (2, "address_held", 1), (3, "waiting_owner", 2)]),
    ("no contract's type", [an_event("order.paid", {})], [(1, "unknown_type", None)]),
]  # fmt: skip


@pytest.mark.parametrize(("events", "wrong"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_it_names_the_event_that_is_not_shown_as_it_is_meant(events: list[Any], wrong: Any) -> None:
    assert found(*events) == wrong
    with pytest.raises(AssertionError, match=rf"\nevent {wrong[0][0]}: (warning: )?{wrong[0][1]}: "):
        assert_projectable(events)


def test_there_is_a_case_of_each_warning() -> None:
    said = {reason for _, _, wrong in CASES for _, reason, _ in wrong}
    assert names_of_warnings() - said == {"misnamed_field", "no_event"}
    assert names_of_warnings() >= {"gap", "misnamed_field", "no_event", warnings.HELD.name}


def test_a_warning_that_is_meant_is_allowed_by_name_and_what_waits_is_there() -> None:
    gap = a_user_event("updated", ADA, 3, name="x")
    with pytest.raises(AssertionError) as said:
        assert_projectable([notes, ada, gap, a_document_event(owner=EVE)], allow={"gap"})
    assert "gap" not in str(said.value)
    assert "allow={'unknown_owner'}" in str(said.value)
    assert len(assert_projectable([notes], allow="unknown_owner").waiting) == 1
    tables = assert_projectable([notes, ada, gap, a_document_event(owner=EVE)], allow={"gap", "unknown_owner"})
    assert [(one.event, one.entity, one.version, one.reason) for one in tables.waiting] == [
        (3, "user", 3, "gap"),
        (4, "document", 1, "unknown_owner"),
    ]
    assert (tables.waiting[0].row["name"], tables.waiting[1].row["user_id"]) == ("x", EVE)
    with pytest.raises(AssertionError, match="version_conflict"):  # no warning: it is a dead letter
        assert_projectable([ada, a_user_event(id=ADA, name="x")], allow={"version_conflict"})
    with pytest.raises(ValueError, match=r"^allow: of address_held, .*; gaps came$"):
        assert_projectable([], allow={"gaps"})


def test_addresses_change_hands_as_the_tables_have_it() -> None:
    one, two = ada["data"]["email"], eve["data"]["email"]
    swap = [ada, eve, a_user_event("updated", ADA, 2, email=two), a_user_event("updated", EVE, 2, email=one)]
    assert {row["id"]: row["email"] for row in assert_projectable(swap)["users"]} == {ADA: two, EVE: one}
    tables = assert_projectable(swap[:3], allow={"address_held"})
    assert [(row["version"], row["email"]) for row in tables["users"]] == [(1, one), (1, two)]
    assert [(w.reason, w.version, w.row["email"]) for w in tables.waiting] == [("address_held", 2, two)]
    freed = [*swap[:3], a_user_event("deleted", EVE, 2)]
    assert [(row["id"], row["email"]) for row in assert_projectable(freed)["users"]] == [(ADA, two)]


def test_of_many_problems_twenty_are_shown_and_the_rest_counted() -> None:
    with pytest.raises(AssertionError) as said:
        assert_projectable([a_user_event(version=0)] * 30)
    assert str(said.value).splitlines()[-1] == "and 10 more"


def test_an_entity_below_two_others_is_shown_where_both_are() -> None:
    data = {"id": str(UUID(int=9)), "version": 1, "document_id": str(NOTES), "author_id": str(EVE), "body": "x"}
    comment = an_event("comment.created", data | {"created_at": TIME, "updated_at": TIME})
    assert projected_with_comments(ada, eve, notes, comment) == (1, [])
    assert projected_with_comments(ada, notes, comment) == (0, [(3, "unknown_owner")])
    assert projected_with_comments(eve, notes, comment) == (0, [(2, "unknown_owner"), (3, "waiting_owner")])


def projected_with_comments(*events: Any) -> tuple[int, list[tuple[int, str]]]:
    tables, problems = projected(WITH_COMMENTS, events)
    return len(tables["comments"]), [(one.line, one.reason) for one in problems]


def test_what_is_asked_for_by_a_wrong_name_is_no_attribute() -> None:
    assert set(projections.__all__) == set(projections._PLACES)
    assert all(getattr(projections, name).__name__ == name for name in projections.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        projections.nonsense  # noqa: B018


def test_a_record_may_stand_at_any_offset() -> None:
    assert found(ARecord(json.dumps(ada).encode(), offset=77), notes | {"type": "x"}) == [(2, "unknown_type", None)]
