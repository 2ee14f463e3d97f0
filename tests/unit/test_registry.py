"""The registry knows every projection, parents before children."""

from uuid import uuid4

import pytest

from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.documents import DOCUMENTS
from neon_projector.projections.registry import REGISTRY
from neon_projector.projections.users import USERS

DOC = uuid4()


def test_children_before_parents_are_refused() -> None:
    with pytest.raises(ValueError, match="document: its parents \\['user'\\] must be listed before it"):
        Registry(DOCUMENTS, USERS)


def test_a_child_without_its_parent_is_refused() -> None:
    with pytest.raises(ValueError, match="document"):
        Registry(DOCUMENTS)


def test_a_projection_is_found_by_its_entity_and_its_event_types() -> None:
    assert list(REGISTRY) == [USERS, DOCUMENTS]
    assert REGISTRY["document"] is DOCUMENTS
    assert {name: projection.entity for name, (projection, _) in REGISTRY.event_types.items()} == {
        "user.created": "user",
        "user.updated": "user",
        "user.deleted": "user",
        "document.created": "document",
        "document.updated": "document",
        "document.ownership_transferred": "document",
        "document.deleted": "document",
    }


def test_children_are_known_with_the_column_that_links_them() -> None:
    assert [(child.entity, link.column) for child, link in REGISTRY.children_of("user")] == [("document", "user_id")]
    assert REGISTRY.children_of("document") == []


def test_columns_are_those_of_the_table() -> None:
    assert set(USERS.columns) == {"id", "email", "name", "is_active", "created_at", "updated_at", "version"}


def test_the_data_of_an_event_can_be_written_again() -> None:
    transfer = REGISTRY.event_types["document.ownership_transferred"][1]
    assert transfer.data_of(DOC, 2, {"user_id": "b", "updated_at": "now"}, {"user_id": "a"}) == {
        "id": DOC,
        "version": 2,
        "to_user_id": "b",
        "from_user_id": "a",
        "updated_at": "now",
    }
