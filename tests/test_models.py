"""The data layer as applications use it, on a real Postgres."""

import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import delete, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from neon_projector import models
from neon_projector.models import Document, DocumentUpdate, User, UserCreate, UserRead, UserUpdate, ping
from neon_projector.models.engine import create_direct_engine, create_engine
from neon_projector.models.readers import MAX_PAGE, Cursor, get_document, get_user, list_documents, list_users
from neon_projector.models.session import session_factory, transaction
from neon_projector.models.settings import DatabaseSettings

Sessions = async_sessionmaker[AsyncSession]
SECRET = "hunter2@example.com"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(DatabaseSettings(neon_database_url=SecretStr(database)))
    yield engine
    await engine.dispose()


async def test_a_connection_that_has_idled_is_asked_and_used_again(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ping, "FRESH_SECONDS", 0)
    backends = set()
    for _ in range(3):
        async with engine.connect() as connection:
            backends.add((await connection.execute(text("SELECT pg_backend_pid()"))).scalar())
    assert len(backends) == 1


@pytest.fixture
def sessions(engine: AsyncEngine) -> Sessions:
    return session_factory(engine)


@pytest.fixture
def statements(engine: AsyncEngine) -> list[str]:
    """Every statement the engine has executed so far."""
    seen: list[str] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))
    return seen


def a_user(number: int = 0, created_at: datetime = NOON, is_active: bool = True) -> User:
    email = f"{number}-{uuid4().hex}@example.com"
    return User(
        id=uuid4(), email=email, name="Ada", is_active=is_active, created_at=created_at, updated_at=NOON, version=1
    )


def a_document(owner: UUID, title: str = "Notes", created_at: datetime = NOON) -> Document:
    return Document(id=uuid4(), title=title, user_id=owner, created_at=created_at, updated_at=NOON, version=1)


async def stored(sessions: Sessions, *rows: User | Document) -> list[UUID]:
    async with transaction(sessions) as session:
        for row in rows:
            session.add(row)
            await session.flush()
        return [row.id for row in rows]


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


async def test_a_transaction_that_fails_changes_nothing(sessions: Sessions) -> None:
    async def fail() -> None:
        async with transaction(sessions) as session:
            session.add(a_user())
            await session.flush()
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        await fail()
    async with sessions() as session:
        assert (await list_users(session)).total == 0


async def test_what_a_transaction_wrote_is_readable_after_it(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        session.add(ada := a_user())
    assert ada.name == "Ada"
    async with sessions() as session:
        assert (await list_users(session)).total == 1


async def test_documents_go_with_their_owner(sessions: Sessions) -> None:
    ada, bob = await stored(sessions, a_user(1), a_user(2))
    _, kept = await stored(sessions, a_document(ada), a_document(bob))
    async with transaction(sessions) as session:
        await session.exec(delete(User).where(col(User.id) == ada))
    async with sessions() as session:
        assert list((await session.exec(select(Document.id))).all()) == [kept]


async def test_an_address_belongs_to_one_user_and_a_document_to_a_user_who_is_there(sessions: Sessions) -> None:
    first, second = a_user(1), a_user(2)
    second.email = first.email
    with pytest.raises(IntegrityError, match="uq_users_email"):
        await stored(sessions, first, second)
    with pytest.raises(IntegrityError, match="fk_documents_user_id_users"):
        await stored(sessions, a_document(uuid4()))


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO users (id, email, name, created_at, updated_at, version)"
        " SELECT gen_random_uuid(), :secret, 'x', now(), now(), n FROM generate_series(1, 2) n",
        "SELECT CAST(CAST(:secret AS text) AS integer)",
        "SELECT CAST(:secret AS integer)",
        "SELECT CAST(:secret AS uuid[])",
        "SELECT CAST(:secret AS uuid)",
    ],
    ids=["unique", "cast by the server", "wrong type", "no array", "no UUID"],
)
async def test_an_error_carries_no_value(engine: AsyncEngine, caplog: pytest.LogCaptureFixture, statement: str) -> None:
    with pytest.raises(DBAPIError) as failed:
        async with engine.begin() as connection:
            await connection.execute(text(statement), {"secret": SECRET})
    logging.getLogger("test").error("failed", exc_info=failed.value)
    assert "Traceback" in caplog.text
    assert "SQLSTATE 22" in caplog.text or "uq_users_email" in caplog.text
    assert SECRET not in caplog.text + repr(failed.value)


def test_schemas_check_what_people_fill_in() -> None:
    assert UserCreate(email="ada@EXAMPLE.com", name="Ada").email == "ada@example.com"
    for wrong in ({"email": "ada", "name": "Ada"}, {"email": "ada@example.com", "name": "x" * 101}):
        with pytest.raises(ValueError, match=r"email|name"):
            UserCreate.model_validate(wrong)
    assert UserUpdate(name="Bob").model_dump(exclude_unset=True) == {"name": "Bob"}
    assert DocumentUpdate(content=None).model_dump(exclude_unset=True) == {"content": None}
    for name in ("email", "name", "is_active"):
        with pytest.raises(ValueError, match="may be left out, but not be null"):
            UserUpdate.model_validate({name: None})
    with pytest.raises(ValueError, match="may be left out, but not be null"):
        DocumentUpdate.model_validate({"title": None})
    ada = a_user()
    assert UserRead.model_validate(ada, from_attributes=True).id == ada.id


async def told_of(engine: AsyncEngine, time: datetime) -> tuple[object, ...]:
    """A time as Postgres sees it, and as it comes back."""
    ask = text("SELECT t::text, t, ARRAY[t] FROM CAST(:t AS timestamptz) t")
    async with engine.connect() as connection:
        return tuple((await connection.execute(ask, {"t": time})).one())


async def test_every_engine_binds_times_as_the_driver_does_but_for_the_first_and_the_last_of_all(
    database: str, engine: AsyncEngine
) -> None:
    drivers = create_async_engine(database.replace("postgresql://", "postgresql+asyncpg://"))
    before_2000 = datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    elsewhere = datetime(2026, 11, 22, 12, tzinfo=timezone(timedelta(hours=-5, minutes=-30)))
    for time in (before_2000, elsewhere, datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)):
        assert await told_of(engine, time) == await told_of(drivers, time)
        assert (await told_of(engine, time))[1] == time
    for time in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
        assert "infinity" not in (told := await told_of(engine, time))[:1]
        assert told[1] == time
        assert "infinity" in str((await told_of(drivers, time))[0]), "the driver takes them for the infinities"
    async with engine.connect() as connection:
        infinities = (await connection.execute(text("SELECT timestamptz 'infinity', timestamptz '-infinity'"))).one()
    assert [time.year for time in infinities] == [9999, 1]
    with pytest.raises(DBAPIError):
        await told_of(engine, before_2000.replace(tzinfo=None))
    await drivers.dispose()


async def test_a_direct_engine_binds_times_alike(database: str) -> None:
    direct = create_direct_engine(DatabaseSettings(neon_database_url=SecretStr(database)))
    first = datetime.min.replace(tzinfo=UTC)
    assert (await told_of(direct, first))[1] == first
    assert "infinity" not in str((await told_of(direct, first))[0])
    await direct.dispose()


def test_engines_are_made_in_one_place_so_that_every_writer_binds_alike() -> None:
    root = Path(models.__file__).parent.parent
    files = [path for folder in ("models", "projections", "consumer") for path in (root / folder).rglob("*.py")]
    makers = [path.relative_to(root).as_posix() for path in files if "create_async_engine(" in path.read_text()]
    assert makers == ["models/engine.py"]
