"""What applications write: all of it or nothing, within the constraints."""

from uuid import uuid4

import pytest
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from neon_projector.models import Document, User
from neon_projector.models.reading import list_users
from neon_projector.models.session import transaction
from tests.models.rows import Sessions, a_document, a_user, stored


async def test_a_transaction_that_fails_changes_nothing(writers: Sessions) -> None:
    async def fail() -> None:
        async with transaction(writers) as session:
            session.add(a_user())
            await session.flush()
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        await fail()
    async with writers() as session:
        assert (await list_users(session, with_total=True)).total == 0


async def test_what_a_transaction_wrote_is_readable_after_it(writers: Sessions) -> None:
    async with transaction(writers) as session:
        session.add(ada := a_user())
    assert ada.name == "Ada"
    async with writers() as session:
        assert (await list_users(session, with_total=True)).total == 1


async def test_documents_go_with_their_owner(writers: Sessions) -> None:
    ada, bob = await stored(writers, a_user(1), a_user(2))
    _, kept = await stored(writers, a_document(ada), a_document(bob))
    async with transaction(writers) as session:
        await session.exec(delete(User).where(col(User.id) == ada))
    async with writers() as session:
        assert list((await session.exec(select(Document.id))).all()) == [kept]


async def test_an_address_belongs_to_one_user_and_a_document_to_a_user_who_is_there(writers: Sessions) -> None:
    first, second = a_user(1), a_user(2)
    second.email = first.email
    with pytest.raises(IntegrityError, match="uq_users_email"):
        await stored(writers, first, second)
    with pytest.raises(IntegrityError, match="fk_documents_user_id_users"):
        await stored(writers, a_document(uuid4()))
