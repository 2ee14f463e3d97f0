"""What an application's Alembic is told of the service's tables, and of its own."""

import pytest
from sqlalchemy import Column, Integer, MetaData, Table

from neon_projector.models import Document, User, metadata
from neon_projector.models.alembic import include_name, include_object
from neon_projector.models.control import metadata as control


def a_table(name: str, schema: str | None = None) -> Table:
    return Table(name, MetaData(), Column("id", Integer), schema=schema)


@pytest.mark.parametrize("name", [None, "public", "theirs", "projector_of_theirs"])
def test_of_the_schemas_only_our_own_is_left_out(name: str | None) -> None:
    assert include_name(name, "schema", {})
    assert not include_name("projector", "schema", {})
    assert include_name("projector", "table", {"schema_name": None})


@pytest.mark.parametrize("ours", [*metadata.tables.values(), *control.tables.values()], ids=str)
def test_our_tables_are_left_alone_wherever_they_are_seen(ours: Table) -> None:
    if ours.metadata is metadata:
        assert not include_object(a_table(ours.name), ours.name, "table", True, None)
        assert not include_object(a_table(ours.name, "public"), ours.name, "table", True, None)
    assert not include_object(ours, ours.name, "table", False, None)
    assert not include_object(ours, ours.name, "table", False, a_table(ours.name))


@pytest.mark.parametrize("theirs", [a_table("users", "theirs"), a_table("stars"), a_table("offsets")], ids=str)
def test_what_is_theirs_is_compared(theirs: Table) -> None:
    assert include_object(theirs, theirs.name, "table", True, None)
    assert include_object(theirs, theirs.name, "table", False, None)
    assert include_object(theirs, theirs.name, "table", False, theirs)
    assert include_object(theirs.c.id, "id", "column", False, None)


@pytest.mark.parametrize("model", [User, Document])
def test_a_table_that_they_declare_themselves_is_theirs(model: type[User | Document]) -> None:
    """Their `search_path` may lead elsewhere than to `public`; only they know what stands there."""
    declared = a_table(str(model.__tablename__))
    assert include_object(declared, declared.name, "table", False, None)
    assert include_object(declared, declared.name, "table", False, a_table(declared.name))
