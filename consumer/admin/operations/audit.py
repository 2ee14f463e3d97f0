"""The trace that every changing command leaves: who, when, from what to what."""

import getpass
import os
import socket
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.models import CONTROL_SCHEMA

_RECORD = text(f"""
    INSERT INTO {CONTROL_SCHEMA}.operations (command, actor, finished_at, before, after, outcome)
    VALUES (:command, :actor, now(), CAST(:before AS jsonb), CAST(:after AS jsonb), :outcome)""")


def actor() -> str:
    """Who runs a command: user@host. In a container the user has a number only, and the host is the container's id."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # OSError from Python 3.13 on
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


async def record(
    connection: AsyncConnection, command: str, *, before: Any = None, after: Any = None, outcome: str = "done"
) -> None:
    """Write the trace, in the transaction of the change."""
    values = {"before": orjson.dumps(before).decode(), "after": orjson.dumps(after).decode()}
    await connection.execute(_RECORD, {"command": command, "actor": actor(), "outcome": outcome, **values})
