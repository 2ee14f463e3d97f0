"""An application's sessions: any kind of them reads alike, and none writes unless it was asked for."""

import sys
import warnings
from typing import Any

import pytest
import sqlmodel
from pydantic import SecretStr
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import Session
from sqlmodel.ext.asyncio.session import AsyncSession as SQLModelAsyncSession

from neon_projector.models import User, reading
from neon_projector.models.reading import sync
from neon_projector.models.session import ReadOnlySession, session_factory, sync_session_factory
from neon_projector.models.settings import ReaderSettings
from neon_projector.models.sync_engine import create_sync_engine
from tests.models.rows import Sessions, a_document, a_user, stored

TELL = text("""
    SELECT current_setting('transaction_read_only'), current_setting('statement_timeout'), current_setting('TimeZone'),
        (SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid())""")
LOCKS = select(User).with_for_update()
INSERTS = text("INSERT INTO users VALUES ('a@b.c', 'Ada', true, gen_random_uuid(), now(), now(), 1)")


async def test_every_kind_of_session_reads_alike(writers: Sessions, reader: AsyncEngine, sync_reader: Engine) -> None:
    ada, bob = await stored(writers, a_user(1), a_user(2))
    ids = await stored(writers, *(a_document(ada, f"no. {i}", content="long") for i in range(3)))
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("get_user", (ada,), {"with_documents": True}),
        ("get_user_by_email", ("none@example.com",), {}),
        ("get_document", (ids[0],), {"with_owner": True}),
        ("get_many", (User, [bob, ada]), {}),
        ("list_users", (), {"limit": 1, "with_total": True}),
        ("list_documents", (), {"user_id": ada, "with_owner": True}),
    ]

    async def asynchronously(kind: type[AsyncSession]) -> list[str]:
        async with kind(reader) as session:
            return [told(await getattr(reading, name)(session, *args, **kw)) for name, args, kw in calls]

    def synchronously(kind: type[Session]) -> list[str]:
        with kind(sync_reader) as session:
            return [told(getattr(sync, name)(session, *args, **kw)) for name, args, kw in calls]

    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # SQLModel's sessions have one for `execute`
        one = await asynchronously(AsyncSession)
        assert str(ada) in one[0]
        assert len(set(one)) == len(calls)
        assert await asynchronously(SQLModelAsyncSession) == one
        assert synchronously(Session) == one
        assert synchronously(sqlmodel.Session) == one


def told(answer: Any) -> str:
    """What an answer has, with times in UTC, and documents in the order of their ids."""
    if isinstance(answer, sqlmodel.SQLModel):
        with_it = [told(one) for one in sorted(vars(answer).get("documents", []), key=lambda one: one.id)]
        return f"{sorted(answer.model_dump(exclude={'content'}).items())}{with_it}{vars(answer).get('owner')}"
    if isinstance(answer, dict):
        return str({key: told(one) for key, one in answer.items()})
    if isinstance(answer, reading.Page):
        return str(([told(row) for row in answer.rows], answer.after, answer.total))
    return str(answer)


async def test_a_session_only_reads_and_says_so(engine: AsyncEngine, writers: Sessions) -> None:
    (ada,) = await stored(writers, a_user())
    reads = session_factory(engine)
    for write in (lambda session: session.execute(INSERTS), lambda session: session.execute(LOCKS), _flushes):
        async with reads() as session:
            with pytest.raises(ReadOnlySession, match=r"only reads.*writable=True"):
                await write(session)
    async with reads() as session:
        user = await reading.get_user(session, ada)
        assert user is not None
        user.name = "Bob"
        with pytest.raises(ReadOnlySession):
            await session.commit()
    async with engine.begin() as connection:
        await connection.execute(INSERTS)
    async with session_factory(engine, writable=True)() as session:
        assert len((await session.execute(LOCKS)).all()) == 2


async def _flushes(session: AsyncSession) -> None:
    session.add(a_user())
    await session.flush()


def test_a_synchronous_session_only_reads_and_says_so(owner: Engine) -> None:
    reads = sync_session_factory(owner)
    for statement in (INSERTS, LOCKS):
        with reads() as session, pytest.raises(ReadOnlySession, match=r"only reads.*writable=True"):
            session.execute(statement)
    with sync_session_factory(owner, writable=True).begin() as session:
        session.execute(INSERTS)
    with reads() as session:
        assert sync.list_users(session, with_total=True).total == 1


AUTOCOMMIT = {"isolation_level": "AUTOCOMMIT"}


async def test_what_only_reads_has_transactions(engine: AsyncEngine, owner: Engine) -> None:
    """Without a BEGIN there is no BEGIN READ ONLY: a session would write."""
    with pytest.raises(ValueError, match="AUTOCOMMIT has no transactions"):
        session_factory(engine.execution_options(**AUTOCOMMIT))
    with pytest.raises(ValueError, match="AUTOCOMMIT has no transactions"):
        sync_session_factory(owner.execution_options(**AUTOCOMMIT))
    async with session_factory(engine)() as session:
        with pytest.raises(ValueError, match="AUTOCOMMIT has no transactions"):
            await session.connection(execution_options=AUTOCOMMIT)
    with sync_session_factory(owner)() as session_, pytest.raises(ValueError, match="AUTOCOMMIT has no transactions"):
        session_.connection(execution_options=AUTOCOMMIT)
    async with session_factory(engine, writable=True)() as session:
        await (await session.connection(execution_options=AUTOCOMMIT)).execute(INSERTS)
    with sync_session_factory(owner.execution_options(**AUTOCOMMIT), writable=True)() as session_:
        assert sync.list_users(session_, with_total=True).total == 1


async def test_a_session_has_its_limits_and_its_name(sessions: Sessions, sync_reader: Engine) -> None:
    async with sessions() as session:
        assert (await session.execute(TELL)).one() == ("on", "30s", "UTC", "neon-projector-reader")
    with sync_session_factory(sync_reader)() as session:
        assert session.execute(TELL).one() == ("on", "30s", "UTC", "neon-projector-reader")


def test_limits_and_name_come_from_the_environment(reading: ReaderSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEON_DATABASE_URL", reading.neon_database_url.get_secret_value())
    monkeypatch.setenv("DB_STATEMENT_TIMEOUT", "1.5")
    monkeypatch.setenv("DB_APPLICATION_NAME", "crm")
    monkeypatch.setenv("DB_POOL_SIZE", "2")
    engine = create_sync_engine(ReaderSettings())
    with sync_session_factory(engine)() as session:
        assert session.execute(TELL).one() == ("on", "1500ms", "UTC", "crm")
    with sync_session_factory(engine)() as session, pytest.raises(DBAPIError, match="statement timeout"):
        session.execute(text("SELECT pg_sleep(100)"))
    engine.dispose()


def test_an_error_of_the_synchronous_driver_carries_no_value(owner: Engine) -> None:
    secret = "hunter2@example.com"
    twice = text(
        "INSERT INTO users SELECT :secret, 'x', true, gen_random_uuid(), now(), now(), n FROM generate_series(1, 2) n"
    )
    for statement in (twice, text("SELECT CAST(:secret AS uuid)"), text("SELECT CAST(:secret AS integer)")):
        with owner.begin() as connection, pytest.raises(DBAPIError, match=r"uq_users_email|SQLSTATE 22") as failed:
            connection.execute(statement, {"secret": secret})
        assert secret not in f"{failed.value!r} {failed.value} {failed.value.__cause__}"


def test_without_psycopg_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    settings = ReaderSettings(neon_database_url=SecretStr("postgresql://localhost/none"))
    with pytest.raises(ImportError, match=r"pip install 'neon-projector\[sync\]'"):
        create_sync_engine(settings)
