"""A field under a name that is not quite its own: the event is read without it and says so, or is rejected."""

import ast
import json
from typing import Any
from uuid import UUID

import pytest

from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Event, MisnamedEvent, Rejection
from neon_projector.projections.contract.fast_path import FastPath
from neon_projector.projections.registry import REGISTRY
from tests.support.documents import sources
from tests.support.factories import a_binary_record, a_document_event, a_record, a_user_event

decode, strictly = Decoder(REGISTRY), Decoder(REGISTRY, strict=True)


def less(event: dict[str, Any], *names: str) -> dict[str, Any]:
    return event | {"data": {name: value for name, value in event["data"].items() if name not in names}}


ODD = [
    (a_user_event(isActive=False), {"is_active": "isActive"}),
    (a_user_event(IsActive=False), {"is_active": "IsActive"}),
    (a_user_event(enabled=False), {"is_active": "enabled"}),
    (less(a_user_event(createdAt="2020-01-01T00:00:00Z"), "created_at"), {"created_at": "createdAt"}),
    (a_user_event("updated", name="x", updatedAt="2020-01-01T00:00:00Z"), {"updated_at": "updatedAt"}),
    (a_user_event("updated", name="x", Email="x@example.com", active=True), {"email": "Email", "is_active": "active"}),
    (a_user_event("updated", name="x", createdAt="2020-01-01T00:00:00Z"), {"created_at": "createdAt"}),
    (a_document_event(body="text"), {"content": "body"}),
    (a_document_event("updated", title="x", text="text"), {"content": "text"}),
]


@pytest.mark.parametrize("mode", [a_record, a_binary_record])
@pytest.mark.parametrize(("event", "misnamed"), ODD)
def test_an_event_is_read_without_what_is_misnamed_and_says_so(event: Any, misnamed: Any, mode: Any) -> None:
    found = decode(mode(event))
    assert isinstance(found, MisnamedEvent)
    assert found.misnamed.items() >= misnamed.items()
    for field, name in misnamed.items():
        assert name not in found.fields
        assert found.fields.get(field) != event["data"][name]


@pytest.mark.parametrize(("event", "misnamed"), ODD)
def test_strictly_it_is_rejected(event: Any, misnamed: Any) -> None:
    rejection = strictly(a_record(event))
    assert isinstance(rejection, Rejection)
    for field, name in misnamed.items():
        assert f"data.{field}: absent, {name} came" in rejection.error.split("; ")


@pytest.mark.parametrize(
    "event",
    [
        a_user_event(),
        a_user_event(isActive=False, is_active=True),
        a_user_event(nickname="x", theme={"isActive": True}),
        a_document_event(content="x", body="y"),
        a_user_event("deleted", isActive=True),
        a_document_event(name="x", email="y"),
    ],
)
def test_what_misses_nothing_is_an_event_like_any_other(event: Any) -> None:
    for each in (decode, strictly):
        assert type(each(a_record(event))) is Event


def test_a_rejected_event_says_which_field_came_under_another_name() -> None:
    event = a_document_event()
    event["data"]["userId"] = event["data"].pop("user_id")
    rejection = decode(a_record(event))
    assert isinstance(rejection, Rejection)
    assert rejection.error == "data.user_id: required, absent; data.user_id: absent, userId came"


def test_the_fast_path_leaves_them_and_reads_the_others() -> None:
    fast = FastPath(REGISTRY, 1024 * 1024, UUID).read
    for event, _ in ODD:
        assert fast(a_record(event)) is None
        value = json.dumps(event).replace("isActive", "is_odd").encode()
        assert "isActive" not in event["data"] or type(fast(a_record(event, value=value))) is Event


DECODES = ("decoder_of", "Decoder")


def test_whatever_decodes_beside_the_service_is_as_strict_as_it() -> None:
    """A command that reads `isActive` otherwise than the service calls a good row wrong, or drops an event."""
    calls = [
        (path, node.func.id, node)
        for path, source in sources().items()
        if path.startswith(("consumer/", "projections/checking/")) and path.endswith(".py")
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in DECODES
    ]
    lax = [
        f"{path}:{call.lineno}"
        for path, name, call in calls
        if name != "decoder_of" and "strict" not in {keyword.arg for keyword in call.keywords}
    ]
    assert (len(calls) > 5, lax) == (True, [])
