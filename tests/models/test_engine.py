"""Engines: connections that have idled, errors that carry no value, times."""

import logging
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from neon_projector import models
from neon_projector.models import ping
from neon_projector.models.engine import create_direct_engine
from neon_projector.models.settings import DatabaseSettings

SECRET = "hunter2@example.com"


async def test_a_connection_that_has_idled_is_asked_and_used_again(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ping, "FRESH_SECONDS", 0)
    backends = set()
    for _ in range(3):
        async with engine.connect() as connection:
            backends.add((await connection.execute(text("SELECT pg_backend_pid()"))).scalar())
    assert len(backends) == 1


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
