"""Asks a database through the service's own engine, with the service's own boundary for errors."""

import json

from pydantic import SecretStr
from sqlalchemy import text

from neon_projector.consumer.recovery.translate import translated
from neon_projector.models.engine import create_engine
from neon_projector.models.settings import DatabaseSettings

WHO = "SELECT current_user::text"


async def asked(url: str, query: str = WHO) -> object:
    """The answer of the server at `url`."""
    engine = create_engine(DatabaseSettings(neon_database_url=SecretStr(url)))
    try:
        with translated():
            async with engine.connect() as connection:
                return (await connection.execute(text(query))).scalar_one()
    finally:
        await engine.dispose()


def loud(logged: str) -> list[str]:
    """The lines of a service's log above `info`, libraries' included."""
    lines = [json.loads(line) for line in logged.splitlines()]
    return [line["message"] for line in lines if line["level"] not in ("debug", "info")]
