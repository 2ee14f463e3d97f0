"""The contract changes in steps that older and newer publishers and services live with; every other step is named."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, NotRequired
from uuid import UUID

import pytest
from pydantic import Field
from typer.testing import CliRunner
from typing_extensions import TypedDict

from neon_projector.consumer.cli.app import app
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Decoded, Event, Ignored
from neon_projector.projections.contract.fields import Content, EntityId, Flag, Name, Version
from neon_projector.projections.contract.projection import EventType, Kind, Registry, Words
from neon_projector.projections.documents import DOCUMENTS
from neon_projector.projections.publishing.compare import Change, compare, read_contract
from neon_projector.projections.publishing.documents import Format, document, version_file
from neon_projector.projections.publishing.form import Form
from neon_projector.projections.registry import CONTRACT_VERSION, REGISTRY
from neon_projector.projections.users import USERS, UserCreated, UserUpdated
from tests.support.factories import a_binary_record, a_document_event, a_record, a_user_event, an_event

HERE = Path(__file__).parents[2] / "docs" / "contract"
CREATED, UPDATED, DELETED = USERS.event_types
ADA = UUID(int=7)
EVERYTHING = a_user_event(id=ADA, version=2, is_active=True) | {"type": "user.updated"}


class CreatedNext(UserCreated):
    nickname: NotRequired[Content]


class UpdatedNext(UserUpdated):
    nickname: NotRequired[Content]


class Merged(TypedDict):
    id: EntityId
    version: Version
    into: EntityId


def users(*event_types: EventType) -> Registry:
    """A contract with other types of users."""
    words = {"nickname": Words("Nickname", "As friends say.", "Ada"), "into": Words("Into", "Who stays.", str(ADA))}
    return Registry(replace(USERS, event_types=event_types, words={**USERS.words, **words}), DOCUMENTS)


DEFAULTS = {**CREATED.defaults, "nickname": None}
CREATED_NEXT = replace(CREATED, schema=CreatedNext, later=frozenset({"nickname"}), defaults=DEFAULTS)
UPDATED_NEXT = replace(UPDATED, schema=UpdatedNext, changes=UPDATED.changes | {"nickname"})
MERGED = EventType("user.merged", Kind.PARTIAL, Merged, title="Two users are one")
NEXT = users(CREATED_NEXT, UPDATED_NEXT, DELETED, MERGED)
"""The next minor version: an optional field more, and a type more."""

OF_TODAY = [
    a_user_event(id=ADA, is_active=False), a_user_event("updated", ADA, 2, name="Ada L."), EVERYTHING,
    a_user_event("deleted", ADA, 3), a_document_event(), a_document_event("updated", version=2, title="x"),
]  # fmt: skip


def decoded(registry: Registry, event: dict[str, Any], mode: Any) -> Decoded:
    return Decoder(registry)(mode(event))


def told(old: Registry, new: Registry, form: Form = Form.TOLERANT) -> list[Change]:
    """What has changed from one to the other."""
    written = (document(one, "1.0", form, Format.JSON_SCHEMA) for one in (old, new))
    return compare(*map(read_contract, written))


@pytest.mark.parametrize("mode", [a_record, a_binary_record])
@pytest.mark.parametrize("event", OF_TODAY[:3], ids=["created", "updated", "everything"])
def test_an_event_of_a_newer_minor_version_is_read_by_todays_service(event: dict[str, Any], mode: Any) -> None:
    newer = event | {"data": {**event["data"], "nickname": "Countess"}}
    today, then = decoded(REGISTRY, event, mode), decoded(REGISTRY, newer, mode)
    assert isinstance(today, Event)
    assert isinstance(then, Event)
    assert (then.kind, then.fields, then.version) == (today.kind, today.fields, today.version)
    ahead = decoded(NEXT, newer, mode)
    assert isinstance(ahead, Event)
    assert ahead.fields == {**today.fields, "nickname": "Countess"}


@pytest.mark.parametrize("mode", [a_record, a_binary_record])
def test_a_type_of_a_newer_minor_version_is_ignored_by_todays_service(mode: Any) -> None:
    event = an_event("user.merged", {"id": str(ADA), "version": 4, "into": str(UUID(int=8))})
    assert isinstance(decoded(REGISTRY, event, mode), Ignored)
    assert isinstance(decoded(NEXT, event, mode), Event)


@pytest.mark.parametrize("mode", [a_record, a_binary_record])
@pytest.mark.parametrize("event", OF_TODAY, ids=lambda event: " ".join([event["type"], *event["data"]]))
def test_an_event_of_today_means_the_same_to_the_next_minor_version(event: dict[str, Any], mode: Any) -> None:
    today, then = decoded(REGISTRY, event, mode), decoded(NEXT, event, mode)
    assert isinstance(today, Event)
    assert isinstance(then, Event)
    added = {"nickname": None} if today.kind is Kind.COMPLETE and today.entity == "user" else {}
    assert (then.kind, then.fields) == (today.kind, {**today.fields, **added})


def test_a_field_that_was_added_later_needs_a_default() -> None:
    with pytest.raises(ValueError, match="a field that was added later needs a default"):
        users(replace(CREATED_NEXT, defaults=CREATED.defaults), UPDATED, DELETED)


@pytest.mark.parametrize("form", Form)
def test_an_optional_field_and_a_type_more_are_compatible(form: Form) -> None:
    assert told(REGISTRY, REGISTRY, form) == []
    assert told(REGISTRY, NEXT, form) == [
        Change("user.created", "data.nickname", "is new, and optional", True),
        Change("user.updated", "data.nickname", "is new, and optional", True),
        Change("user.updated", "data.nickname", "is now one of those of which one must be there", True),
        Change("user.merged", "", "is a new type: who does not know it ignores it", True),
    ]


@pytest.mark.parametrize("form", Form)
def test_to_take_them_back_is_not(form: Form) -> None:
    assert {change.compatible for change in told(NEXT, REGISTRY, form)} == {False}
    assert [change.change.partition(":")[0] for change in told(NEXT, REGISTRY, form)] == [
        "is no longer read",
        "is no longer read",
        "is no longer one of those of which one must be there",
        "is no longer a type of the contract",
    ]


def with_field(rule: Any, *, required: bool = False) -> Registry:
    """A contract whose `user.created` has another rule for the name."""
    fields = {**UserCreated.__annotations__, "name": rule if required else NotRequired[rule]}
    schema: Any = TypedDict("UserCreated", fields)  # type: ignore[misc]  # made, not written
    return users(replace(CREATED, schema=schema), UPDATED, DELETED)


SHORT, LONG = (Annotated[str, Field(strict=True, min_length=1, max_length=most)] for most in (50, 200))
FROM_2 = Annotated[str, Field(strict=True, min_length=2, max_length=100)]
LETTERS = Annotated[str, Field(strict=True, min_length=1, max_length=100, pattern="^[a-z]+$")]
INACTIVE, NEEDED = replace(CREATED, defaults={"is_active": False}), replace(CREATED_NEXT, later=frozenset())
FEWER, NEVER = replace(UPDATED, changes=frozenset({"email", "name"})), replace(UPDATED, complete_as=None)
OR_NULL = Annotated[str, Field(strict=True, min_length=1, max_length=100)] | None


@pytest.mark.parametrize(
    ("registry", "field", "change", "compatible"),
    [
        (with_field(Name), "data.name", "is no longer required", True),
        (with_field(SHORT, required=True), "data.name", "maxLength was 100, is 50", False),
        (with_field(LONG, required=True), "data.name", "maxLength was 100, is 200", True),
        (with_field(FROM_2, required=True), "data.name", "minLength was 1, is 2", False),
        (with_field(Flag, required=True), "data.name", "no longer takes: string", False),
        (with_field(OR_NULL, required=True), "data.name", "takes also: null", True),
        (with_field(LETTERS, required=True), "data.name", "has another pattern", False),
        (users(INACTIVE, UPDATED, DELETED), "data.is_active", "left out it meant true, now false", False),
        (users(NEEDED, UPDATED_NEXT, DELETED), "data.nickname", "is needed now, or an event", False),
        (users(CREATED, FEWER, DELETED), "data.is_active", "is no longer one of those", False),
        (users(CREATED, NEVER, DELETED), "data", "is never read as complete any more", False),
        (users(CREATED, UPDATED), "", "is no longer a type of the contract", False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_every_change_is_named_with_whether_it_is_compatible(
    registry: Registry, field: str, change: str, compatible: bool
) -> None:
    found = [one for one in told(REGISTRY, registry) if one.change.startswith(change)]
    assert [(one.field, one.compatible) for one in found][:1] == [(field, compatible)]


def test_a_field_that_is_required_from_now_on_is_not_compatible() -> None:
    assert Change("user.created", "data.name", "is required now", False) in told(with_field(Name), REGISTRY)


def test_each_version_is_compatible_with_those_before_of_the_same_major_version() -> None:
    major = CONTRACT_VERSION.partition(".")[0]
    new = read_contract(document(REGISTRY, CONTRACT_VERSION, Form.TOLERANT, Format.JSON_SCHEMA))
    kept = [json.loads(path.read_text()) for path in sorted((HERE / "versions").glob(f"{major}.*.json"))]
    assert version_file(CONTRACT_VERSION).endswith(f"{new.version}.json")
    assert [change for one in kept for change in compare(read_contract(one), new) if not change.compatible] == []


@pytest.mark.parametrize(
    "name", ["events.strict.json", "events.tolerant.json", "asyncapi.json", version_file(CONTRACT_VERSION)]
)
def test_the_command_compares_with_whatever_it_has_printed(name: str, tmp_path: Path) -> None:
    same = CliRunner().invoke(app, ["contract", "--diff", str(HERE / name)])
    assert (same.exit_code, same.stdout) == (0, f"{CONTRACT_VERSION} -> {CONTRACT_VERSION}: no rule has changed\n")
    old = tmp_path / "old.json"
    old.write_text((HERE / name).read_text().replace('"maxLength": 100', '"maxLength": 200'))
    done = CliRunner().invoke(app, ["contract", "--diff", str(old)])
    assert done.exit_code == 1
    assert "maxLength was 200, is 100" in done.stdout
    assert "NOT compatible" in done.stdout
    told = json.loads(CliRunner().invoke(app, ["contract", "--diff", str(old), "--json"]).stdout)
    assert (told["old"], told["new"], told["compatible"]) == (CONTRACT_VERSION, CONTRACT_VERSION, False)
    assert {(one["type"], one["field"]) for one in told["changes"]} == {
        ("user.created", "data.name"),
        ("user.updated", "data.name"),
    }


def test_a_change_that_is_compatible_is_exit_status_0(tmp_path: Path) -> None:
    old = tmp_path / "old.json"
    old.write_text((HERE / "events.tolerant.json").read_text().replace('"maxLength": 100', '"maxLength": 50'))
    done = CliRunner().invoke(app, ["contract", "--diff", str(old)])
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (
        0,
        f"{CONTRACT_VERSION} -> {CONTRACT_VERSION}: compatible",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "not a document that"),
        ("{}", "not a document that"),
        ("null", "not a document that"),
        ('{"$id": "urn:neon-projector:contract:1.0:tolerant"}', "not a document that"),
        ('{"$id": "https://example.com/x", "oneOf": []}', "not a document that"),
        ('{"asyncapi": "3.0.0", "info": {"version": "1"}, "channels": {}}', "not a document that"),
    ],
)
def test_what_it_has_not_printed_is_usage(text: str, said: str, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text(text)
    done = CliRunner().invoke(app, ["contract", "--diff", str(other)], env={"COLUMNS": "500"})
    assert (done.exit_code, done.stdout, said in done.stderr) == (2, "", True)
    missing = CliRunner().invoke(app, ["contract", "--diff", str(tmp_path / "none")], env={"COLUMNS": "500"})
    assert (missing.exit_code, "No such file" in missing.stderr) == (2, True)
