"""The SQL of a projection, as far as its text can be wrong."""

import re

import pytest
from sqlalchemy.sql.elements import TextClause

from neon_projector.projections.contract.projection import Projection
from neon_projector.projections.documents import DOCUMENTS
from neon_projector.projections.registry import REGISTRY
from neon_projector.projections.sql.child_statements import child_statements_for
from neon_projector.projections.sql.statements import statements_for
from neon_projector.projections.users import USERS

EVERY = pytest.mark.parametrize("projection", [USERS, DOCUMENTS], ids=lambda p: p.entity)


def placeholders(statement: TextClause | None) -> set[str]:
    assert statement is not None
    return set(re.findall(r"(?<!:):(\w+)", statement.text))


@EVERY
def test_the_upsert_takes_one_array_for_each_column(projection: Projection) -> None:
    sql = statements_for(REGISTRY, projection)
    kept = {f"kept_{column}" for column in projection.carried}
    for statement, more in (
        (sql.upsert, kept),
        (sql.take, {"several", "oldest"}),
        (sql.take_new, {"several", "oldest"}),
    ):
        assert placeholders(statement) == {*projection.columns, *more}
        assert all(statement.text.count(f"CAST(:{column} AS ") == 1 for column in projection.columns)


@EVERY
def test_a_change_sets_nothing_that_others_depend_on(projection: Projection) -> None:
    sql = statements_for(REGISTRY, projection).change
    assert placeholders(sql) == {"id", "version", "base", "mask", *projection.changeable}
    assert (
        projection.changeable
        == {"user": ("name", "is_active", "updated_at"), "document": ("title", "content", "updated_at")}[
            projection.entity
        ]
    )


@EVERY
def test_a_state_kept_aside_has_every_column(projection: Projection) -> None:
    sql = statements_for(REGISTRY, projection)
    carried = {f"kept_{column}" for column in projection.carried}
    for statement, kept in (
        (sql.put_aside, carried),
        (sql.put_new_aside, set()),
        (sql.put_unknown_aside, set()),
    ):  # what is new is given whole
        assert placeholders(statement) == {*projection.columns, "reason", "waiting_for", *kept}
        assert all(re.search(rf"'{column}', [vs]\.{column}\b", statement.text) for column in projection.columns)


@EVERY
def test_on_conflict_never_names_a_unique_column(projection: Projection) -> None:
    sql = statements_for(REGISTRY, projection)
    for statement in (sql.upsert, sql.take, sql.take_new):
        _, on_conflict = statement.text.split("ON CONFLICT")
        changes = on_conflict.split("WHERE")[0]
        assert set(re.findall(r"(\w+) = excluded", changes)) == set(projection.columns) - {"id"} - set(
            projection.unique
        )


def test_unique_columns_are_moved_by_a_statement_of_their_own() -> None:
    users = statements_for(REGISTRY, USERS)
    assert placeholders(users.move_unique) == {"id", "version", "email"}
    assert placeholders(users.vacate) == {"id"}
    assert {column: placeholders(sql) for column, sql in users.holders.items()} == {"email": {"value"}}


def test_without_unique_columns_there_is_nothing_to_move() -> None:
    documents = statements_for(REGISTRY, DOCUMENTS)
    assert (documents.move_unique, documents.vacate, documents.holders) == (None, None, {})


def test_a_child_is_hidden_and_released_with_every_column() -> None:
    children = child_statements_for(REGISTRY, DOCUMENTS, DOCUMENTS.parents[0])
    assert all(f"'{column}', gone.{column}" in children.hide.text for column in DOCUMENTS.columns)
    assert all(f"(s.r).{column}" in children.release.text for column in DOCUMENTS.columns)
    assert placeholders(children.release) == {"id"}
    assert placeholders(children.hide) == placeholders(children.mark) == {"id", "reason"}
