"""What applications read: rows with what belongs to them, and lists, without a statement too many."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy.exc import InvalidRequestError

from neon_projector.models import Document, User
from neon_projector.models.reading import (
    MAX_PAGE,
    get_document,
    get_many,
    get_user,
    get_user_by_email,
    list_documents,
    list_users,
)
from tests.models.rows import NOON, Sessions, a_document, a_user, stored

DAY = timedelta(days=1)


async def test_active_users_alone_and_the_others(writers: Sessions, sessions: Sessions) -> None:
    active, idle = await stored(writers, a_user(1), a_user(2, is_active=False))
    async with sessions() as session:
        for wanted, only in ((True, active), (False, idle)):
            page = await list_users(session, is_active=wanted, with_total=True)
            assert ([user.id for user in page.rows], page.total) == ([only], 1)


async def test_what_was_created_since(writers: Sessions, sessions: Sessions) -> None:
    old, new = await stored(writers, a_user(1), a_user(2, NOON + DAY))
    before, after = await stored(writers, a_document(old), a_document(old, created_at=NOON + DAY))
    async with sessions() as session:
        for since, count in ((NOON, 2), (NOON + timedelta(microseconds=1), 1), (NOON + 2 * DAY, 0)):
            users, documents = (
                await list_users(session, created_since=since),
                await list_documents(session, created_since=since),
            )
            assert [user.id for user in users.rows] == [new, old][:count]
            assert [document.id for document in documents.rows] == [after, before][:count]


async def test_a_title_begins_so_and_marks_of_patterns_are_characters(writers: Sessions, sessions: Sessions) -> None:
    (ada,) = await stored(writers, a_user())
    titles = ["50% off", "500 off", "a_b", "axb", "Notes", "notes", "/x", "Notes on notes"]
    await stored(writers, *(a_document(ada, title) for title in titles))
    async with sessions() as session:
        for prefix in ("50%", "a_", "Notes", "/", "", "50"):
            page = await list_documents(session, title_prefix=prefix)
            assert {one.title for one in page.rows} == {title for title in titles if title.startswith(prefix)}


async def test_a_total_is_told_only_where_it_is_asked_for(
    writers: Sessions, sessions: Sessions, statements: list[str]
) -> None:
    await stored(writers, *(a_user(i) for i in range(3)))
    statements.clear()
    async with sessions() as session:
        assert (await list_users(session, limit=2)).total is None
        assert len(statements) == 1
        assert (await list_users(session, limit=2, with_total=True)).total == 3
        assert len(statements) == 3


@pytest.mark.parametrize("limit", [0, -1, MAX_PAGE + 1])
async def test_a_page_has_a_limit(sessions: Sessions, limit: int) -> None:
    async with sessions() as session:
        assert (await list_users(session, limit=MAX_PAGE)).rows == []
        with pytest.raises(ValueError, match="1 to 1000"):
            await list_users(session, limit=limit)


async def test_one_users_documents(writers: Sessions, sessions: Sessions) -> None:
    ada, bob = await stored(writers, a_user(1), a_user(2))
    old, _, new = await stored(writers, a_document(ada), a_document(bob), a_document(ada, created_at=NOON + DAY))
    async with sessions() as session:
        page = await list_documents(session, user_id=ada, with_total=True)
    assert ([document.id for document in page.rows], page.total, page.after) == ([new, old], 2, None)


async def test_documents_come_with_their_owners_in_two_statements(
    writers: Sessions, sessions: Sessions, statements: list[str]
) -> None:
    owners = await stored(writers, *(a_user(i) for i in range(5)))
    await stored(writers, *(a_document(owner) for owner in owners))
    statements.clear()
    async with sessions() as session:
        page = await list_documents(session, with_owner=True)
    assert {document.owner.id for document in page.rows} == set(owners)
    assert len(statements) == 2


async def test_a_user_comes_with_documents_in_two_statements(
    writers: Sessions, sessions: Sessions, statements: list[str]
) -> None:
    (ada,) = await stored(writers, a_user())
    await stored(writers, *(a_document(ada, f"no. {i}", content="long") for i in range(5)))
    statements.clear()
    async with sessions() as session:
        user = await get_user(session, ada, with_documents=True)
    assert user is not None
    assert len(user.documents) == 5
    assert len(statements) == 2
    assert not any("content" in statement for statement in statements)
    async with sessions() as session:
        user = await get_user(session, ada, with_documents=True, with_content=True)
    assert user is not None
    assert {document.content for document in user.documents} == {"long"}


async def test_documents_can_be_asked_for_when_the_user_is_loaded_already(
    writers: Sessions, sessions: Sessions
) -> None:
    (ada,) = await stored(writers, a_user())
    (notes,) = await stored(writers, a_document(ada, content="long"))
    async with sessions() as session:
        assert await get_user(session, ada)
        assert (await list_documents(session)).rows
        user = await get_user(session, ada, with_documents=True)
        document = await get_document(session, notes, with_owner=True)
        assert (await list_documents(session)).rows
    assert user is not None
    assert document is not None
    assert ([one.id for one in user.documents], document.owner.id, document.content) == ([notes], ada, "long")


async def test_a_list_leaves_the_content_where_it_is(
    writers: Sessions, sessions: Sessions, statements: list[str]
) -> None:
    (ada,) = await stored(writers, a_user())
    (notes,) = await stored(writers, a_document(ada, content="long"))
    statements.clear()
    async with sessions() as session:
        (without,) = (await list_documents(session)).rows
        assert (await get_many(session, Document, [notes]))[notes] is without
        assert not any("content" in statement for statement in statements)
        with pytest.raises(InvalidRequestError, match="content"):
            _ = without.content
    assert len(statements) == 2
    async with sessions() as session:
        (whole,) = (await list_documents(session, with_content=True)).rows
        assert whole.content == "long"
    async with sessions() as session:
        assert (await get_many(session, Document, [notes], with_content=True))[notes].content == "long"


async def test_a_user_is_found_by_the_address_as_the_service_stores_it(writers: Sessions, sessions: Sessions) -> None:
    ada = a_user()
    ada.email = "Ada@example.com"
    await stored(writers, ada)
    async with sessions() as session:
        for address in ("Ada@example.com", "Ada@EXAMPLE.com"):
            found = await get_user_by_email(session, address, with_documents=True)
            assert found is not None
            assert (found.id, found.documents) == (ada.id, [])
        for address in ("ada@example.com", "no address", ""):
            assert await get_user_by_email(session, address) is None


async def test_many_by_their_ids(writers: Sessions, sessions: Sessions, statements: list[str]) -> None:
    ids = await stored(writers, *(a_user(i) for i in range(5)))
    statements.clear()
    async with sessions() as session:
        found = await get_many(session, User, [ids[3], uuid4(), ids[1], ids[3]])
        assert list(found) == [ids[3], ids[1]]
        assert {user.id for user in found.values()} == {ids[3], ids[1]}
        assert len(statements) == 1
        assert await get_many(session, User, []) == {}
        with pytest.raises(TypeError, match="ids are UUIDs"):
            await get_many(session, User, [ids[1], str(ids[3])])  # type: ignore[list-item]  # as many would
        with pytest.raises(ValueError, match="at most 1000 ids, 1001 came"):
            await get_many(session, User, (uuid4() for _ in range(1001)))


async def test_what_is_not_there_is_none(sessions: Sessions) -> None:
    async with sessions() as session:
        assert await get_user(session, uuid4()) is None
        assert await get_document(session, uuid4()) is None


async def test_nothing_is_loaded_behind_the_back(writers: Sessions, sessions: Sessions) -> None:
    (ada,) = await stored(writers, a_user())
    (notes,) = await stored(writers, a_document(ada))
    async with sessions() as session:
        user, document = await get_user(session, ada), await get_document(session, notes)
        assert user is not None
        assert document is not None
        with pytest.raises(InvalidRequestError, match="documents"):
            _ = user.documents
        with pytest.raises(InvalidRequestError, match="owner"):
            _ = document.owner


async def test_what_no_row_can_have_is_refused_before_the_database_sees_it(
    sessions: Sessions, statements: list[str]
) -> None:
    naive = datetime(2026, 11, 22, tzinfo=UTC).replace(tzinfo=None)
    async with sessions() as session:
        for call in (
            lambda: list_users(session, created_since=naive),
            lambda: list_documents(session, created_since=naive),
        ):
            with pytest.raises(ValueError, match="created_since: a time needs a zone"):
                await call()
        for text in ("a\0", "\ud800"):
            with pytest.raises(ValueError, match="email: a text has no NUL"):
                await get_user_by_email(session, text)
            with pytest.raises(ValueError, match="title_prefix: a text has no NUL"):
                await list_documents(session, title_prefix=text)
    assert statements == []
