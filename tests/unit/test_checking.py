"""What a check says of a file of events: each line as the decoder reads it, and what does not go together."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner

from neon_projector.consumer.cli.app import app
from neon_projector.projections.checking.checker import Checker
from neon_projector.projections.checking.problem import Problem
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Event, Rejection
from neon_projector.projections.registry import REGISTRY
from tests.support.factories import ARecord, a_document_event, a_user_event, an_event
from tests.support.mistaken_records import ALL_BAD_RECORDS

ADA, EVE, NOTES = UUID(int=1), UUID(int=2), UUID(int=3)
decode = Decoder(REGISTRY)


def found(*events: dict[str, Any]) -> list[Problem]:
    """What is said of these, the first one on line 1."""
    checker, problems = Checker(REGISTRY, decode), list[Problem]()
    for line, event in enumerate(events, 1):
        problems += checker.check(line, ARecord(json.dumps(event).encode()))[1]
    return sorted([*problems, *checker.end()], key=lambda problem: problem.line)


def warned(*events: dict[str, Any]) -> list[tuple[int, str, int | None]]:
    """By line, each warning with the line that it clashes with."""
    problems = found(*events)
    assert all(problem.warning and problem.said and problem.mend for problem in problems)
    assert [problem for problem in problems if "{" in problem.said + problem.mend] == []
    return [(problem.line, problem.reason, problem.other_line) for problem in problems]


@pytest.mark.parametrize("bad", ALL_BAD_RECORDS, ids=lambda bad: bad.name)
def test_of_a_bad_record_it_says_what_the_decoder_says_and_what_to_do(bad: Any) -> None:
    event, problems = Checker(REGISTRY, decode).check(7, bad.record)
    rejected = decode(bad.record)
    assert isinstance(rejected, Rejection)
    assert event is None
    assert "; ".join(problem.said for problem in problems) == rejected.error
    assert {(one.line, one.reason, one.warning) for one in problems} == {(7, bad.reason, False)}
    assert all(problem.mend for problem in problems)


def test_each_field_that_is_wrong_is_a_problem_of_its_own() -> None:
    said = [problem.said for problem in found(a_user_event(version=0, email="nobody", name=""))]
    assert [one.partition(":")[0] for one in said] == ["data.email", "data.name", "data.version"]


def test_a_good_event_is_handed_back() -> None:
    event, problems = Checker(REGISTRY, decode).check(1, ARecord(json.dumps(a_user_event(id=ADA)).encode()))
    assert isinstance(event, Event)
    assert (event.id, problems) == (ADA, [])


A_LIFE = [
    a_user_event(id=ADA),
    a_document_event(id=NOTES, owner=ADA),
    a_user_event("updated", ADA, 2, name="Ada L."),
    a_user_event(id=EVE),
    a_document_event("ownership_transferred", NOTES, 2, from_user_id=ADA, to_user_id=EVE),
    a_document_event("updated", NOTES, 3, title="x"),
    a_user_event("deleted", ADA, 3),
    a_document_event("deleted", NOTES, 4),
]


def test_what_goes_together_has_no_warning_in_any_order_and_twice() -> None:
    assert warned(*A_LIFE) == []
    assert warned(*reversed(A_LIFE)) == []
    assert warned(*A_LIFE, *A_LIFE) == []


def test_what_a_file_does_not_tell_the_beginning_of_is_no_gap() -> None:
    assert warned(a_user_event("updated", ADA, 7, name="x"), a_user_event("updated", ADA, 8, name="y")) == []


def test_a_partial_event_behind_a_missing_version_is_a_gap_and_a_complete_one_is_none() -> None:
    first, third = a_user_event(id=ADA), a_user_event("updated", ADA, 3, name="x")
    assert warned(first, third) == [(2, "gap", 1)]
    assert warned(third, first) == [(1, "gap", 2)]
    assert warned(first, a_user_event(id=ADA, version=3)) == []
    assert warned(first, third, a_user_event("updated", ADA, 4, name="y")) == [(2, "gap", 1)]


def test_a_version_twice_with_other_content_names_the_first() -> None:
    first = a_user_event(id=ADA)
    assert warned(first, a_user_event(id=ADA, name="Eve")) == [(2, "version_conflict", 1)]
    assert warned(first, a_user_event("deleted", ADA, 1)) == [(2, "version_conflict", 1)]
    assert warned(first, a_user_event(id=ADA, created_at="2026-11-21T12:00:00Z")) == []
    updates = [a_user_event("updated", ADA, 2, **one) for one in ({"name": "x"}, {"name": "y"}, {"is_active": True})]
    assert warned(*updates) == [(2, "version_conflict", 1), (3, "version_conflict", 1)]
    long = [a_document_event(id=NOTES, owner=ADA, content="x" * 100 + end) for end in "ab"]
    assert [reason for _, reason, _ in warned(first, *long)] == ["version_conflict"]


def test_the_wrong_owner_names_the_line_that_says_who_it_is() -> None:
    given = a_document_event("ownership_transferred", NOTES, 2, from_user_id=EVE, to_user_id=EVE)
    users = [a_user_event(id=ADA), a_user_event(id=EVE)]
    assert warned(*users, a_document_event(id=NOTES, owner=ADA), given) == [(4, "wrong_owner", 3)]
    assert warned(*users, given) == []
    behind_a_gap = a_document_event("ownership_transferred", NOTES, 4, from_user_id=EVE, to_user_id=EVE)
    assert warned(*users, a_document_event(id=NOTES, owner=ADA), behind_a_gap) == [(4, "gap", 3)]


def test_what_becomes_a_dead_letter_uses_up_no_version() -> None:
    """The right event comes later, under the same version: it is not the one to be blamed."""
    users = [a_user_event(id=ADA), a_user_event(id=EVE), a_document_event(id=NOTES, owner=ADA)]
    wrong, again = (
        a_document_event("ownership_transferred", NOTES, 2, from_user_id=EVE, to_user_id=one) for one in (EVE, ADA)
    )
    right = a_document_event("updated", NOTES, 2, title="x")
    given = a_document_event("ownership_transferred", NOTES, 3, from_user_id=ADA, to_user_id=EVE)
    both = [(4, "wrong_owner", 3), (5, "wrong_owner", 3)]
    assert warned(*users, wrong, again, right, given) == both
    assert warned(*users, wrong, again, given) == [*both, (6, "gap", 3)]
    assert warned(*users, right, wrong) == [(5, "version_conflict", 4)]
    assert warned(*users, wrong, wrong, right) == both
    gone, late = a_user_event("deleted", ADA, 2), a_user_event("updated", ADA, 3, name="x")
    assert warned(gone, late, a_user_event(id=ADA, version=3), late) == [(2, "deleted", 1), (4, "version_conflict", 3)]


def test_a_partial_event_after_a_deletion_is_named_and_a_new_creation_is_not() -> None:
    gone = a_user_event("deleted", ADA, 2)
    assert warned(gone, a_user_event("updated", ADA, 3, name="x")) == [(2, "deleted", 1)]
    assert warned(gone, a_user_event(id=ADA, version=3)) == []


def test_an_owner_that_the_file_does_not_have_is_named_once() -> None:
    documents = [a_document_event(owner=ADA), a_document_event(owner=ADA), a_document_event(owner=EVE)]
    assert warned(*documents) == [(1, "unknown_owner", None), (3, "unknown_owner", None)]
    assert warned(*documents, a_user_event(id=ADA), a_user_event("updated", EVE, 5, name="x")) == []


def test_an_owner_that_the_file_deletes_is_named_with_that_line() -> None:
    document, user, gone = a_document_event(owner=ADA), a_user_event(id=ADA), a_user_event("deleted", ADA, 2)
    assert warned(user, document, gone) == [(2, "deleted_owner", 3)]


def test_an_address_that_two_end_up_with_is_named_and_one_that_moves_is_not() -> None:
    ada, eve = (a_user_event(id=one, email="one@example.com") for one in (ADA, EVE))
    assert warned(ada, eve) == [(2, "address_held", 1)]
    assert warned(ada, eve, a_user_event("updated", ADA, 2, email="two@example.com")) == []
    assert warned(ada, eve, a_user_event("deleted", ADA, 2)) == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [("UserCreated", "user.created"), ("user.created.v1", "user.created"), ("order.paid", None)],
)
def test_an_unknown_type_is_named_with_the_one_that_is_meant(name: str, meant: str | None) -> None:
    (problem,) = found(an_event(name, {"id": str(ADA), "version": 1}))
    assert (problem.reason, problem.warning, f"({meant}" in problem.said) == ("unknown_type", True, meant is not None)
    assert name == meant or name not in problem.said


MISNAMED = [
    ({"isActive": False}, "data.is_active: absent, isActive came"),
    ({"createdAt": "2026-01-01T00:00:00Z"}, "data.created_at: absent, createdAt came"),
]


@pytest.mark.parametrize(("field", "said"), MISNAMED)
def test_a_field_under_another_name_is_a_warning(field: dict[str, Any], said: str) -> None:
    (problem,) = found(misnamed(field))
    assert (problem.reason, problem.said, problem.warning) == ("misnamed_field", said, True)
    assert "without that field" in problem.mend


@pytest.mark.parametrize("strict", [False, True])
def test_the_command_checks_as_a_strict_service_where_it_is_told_so(strict: bool, tmp_path: Path) -> None:
    """What is sent is read by the same rule: else an event could be left out without a word."""
    file = tmp_path / "events.jsonl"
    file.write_text(json.dumps(misnamed({"isActive": False})) + "\n")
    command = ["publish", str(file), "--check", "--json"]
    done = CliRunner().invoke(app, command, env={"CONTRACT_STRICT": str(strict)})
    problem, whole = map(json.loads, done.stdout.splitlines())
    assert (problem["warning"], whole["bad_lines"], whole["events"]) == (not strict, int(strict), int(not strict))
    assert (done.exit_code, problem["reason"]) == ((1, "invalid_data") if strict else (0, "misnamed_field"))


def misnamed(field: dict[str, Any]) -> dict[str, Any]:
    """A user's event with this in place of the field that is meant."""
    event = a_user_event(id=ADA)
    meant = {"is_active", "created_at"}
    return event | {"data": {name: value for name, value in event["data"].items() if name not in meant} | field}
