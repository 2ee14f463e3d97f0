"""What applications read: pages, and rows with what belongs to them."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from neon_projector.models import Document
from neon_projector.models.readers import MAX_PAGE, Cursor, get_document, get_user, list_documents, list_users
from tests.models.rows import NOON, Sessions, a_document, a_user, stored


async def test_pages_are_newest_first_and_miss_nothing_where_times_are_equal(sessions: Sessions) -> None:
    users = [a_user(i, NOON + timedelta(hours=i // 4)) for i in range(10)]
    await stored(sessions, *users)
    found: list[UUID] = []
    after: Cursor | None = None
    async with sessions() as session:
        while True:
            page = await list_users(session, limit=3, after=after)
            assert page.total == 10
            found += [user.id for user in page.rows]
            if (after := page.after) is None:
                break
    assert found == [user.id for user in sorted(users, key=lambda u: (u.created_at, u.id), reverse=True)]


async def test_a_last_page_that_is_full_has_no_next(sessions: Sessions) -> None:
    await stored(sessions, a_user(1), a_user(2))
    async with sessions() as session:
        assert (await list_users(session, limit=2)).after is None


async def test_active_users_alone(sessions: Sessions) -> None:
    active, _ = await stored(sessions, a_user(1), a_user(2, is_active=False))
    async with sessions() as session:
        page = await list_users(session, is_active=True)
    assert ([user.id for user in page.rows], page.total) == ([active], 1)


@pytest.mark.parametrize("limit", [0, -1, MAX_PAGE + 1])
async def test_a_page_has_a_limit(sessions: Sessions, limit: int) -> None:
    async with sessions() as session:
        assert (await list_users(session, limit=MAX_PAGE)).rows == []
        with pytest.raises(ValueError, match="1 to 1000"):
            await list_users(session, limit=limit)


async def test_one_users_documents(sessions: Sessions) -> None:
    ada, bob = await stored(sessions, a_user(1), a_user(2))
    old, _, new = await stored(
        sessions, a_document(ada), a_document(bob), a_document(ada, created_at=NOON + timedelta(days=1))
    )
    async with sessions() as session:
        page = await list_documents(session, user_id=ada)
    assert ([document.id for document in page.rows], page.total, page.after) == ([new, old], 2, None)


async def test_documents_come_with_their_owners_in_a_fixed_number_of_statements(
    sessions: Sessions, statements: list[str]
) -> None:
    owners = await stored(sessions, *(a_user(i) for i in range(5)))
    await stored(sessions, *(a_document(owner) for owner in owners))
    statements.clear()
    async with sessions() as session:
        page = await list_documents(session)
    assert {document.owner.id for document in page.rows} == set(owners)
    assert len(statements) == 3


async def test_a_user_comes_with_documents_in_two_statements(sessions: Sessions, statements: list[str]) -> None:
    (ada,) = await stored(sessions, a_user())
    await stored(sessions, *(a_document(ada, f"no. {i}") for i in range(5)))
    statements.clear()
    async with sessions() as session:
        user = await get_user(session, ada, with_documents=True)
    assert user is not None
    assert len(user.documents) == 5
    assert len(statements) == 2


async def test_documents_can_be_asked_for_when_the_user_is_loaded_already(sessions: Sessions) -> None:
    (ada,) = await stored(sessions, a_user())
    (notes,) = await stored(sessions, a_document(ada))
    async with sessions() as session:
        assert await get_user(session, ada)
        assert await session.get(Document, notes)
        user, document = await get_user(session, ada, with_documents=True), await get_document(session, notes)
    assert user is not None
    assert document is not None
    assert ([one.id for one in user.documents], document.owner.id) == ([notes], ada)


async def test_what_is_not_there_is_none(sessions: Sessions) -> None:
    async with sessions() as session:
        assert await get_user(session, uuid4()) is None
        assert await get_document(session, uuid4()) is None


async def test_nothing_is_loaded_behind_the_back(sessions: Sessions) -> None:
    (ada,) = await stored(sessions, a_user())
    async with sessions() as session:
        user = await get_user(session, ada)
    with pytest.raises(Exception, match="documents"):
        assert user is not None and user.documents  # noqa: PT018
