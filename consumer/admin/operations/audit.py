"""The trace that every changing command leaves: who, when, from what to what."""

import getpass
import os
import socket
from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.models import CONTROL_SCHEMA

_RECORD = text(f"""
    INSERT INTO {CONTROL_SCHEMA}.operations (command, actor, finished_at, before, after, outcome, filter)
    VALUES (:command, :actor, now(), CAST(:before AS jsonb), CAST(:after AS jsonb), :outcome,
        CAST(:filter AS jsonb))""")


def actor() -> str:
    """Who runs a command: user@host. In a container the user has a number only, and the host is the container's id."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # OSError from Python 3.13 on
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


async def record(
    connection: AsyncConnection, command: str, *, before: Any = None, after: Any = None, outcome: str = "done",
    filter: Mapping[str, Any] | None = None,  # noqa: A002  the column's name
) -> None:  # fmt: skip
    """Write the trace, in the transaction of the change. `filter`: what was asked for; of what concerns one group only,
    its `group_id` among it."""
    values = {"before": orjson.dumps(before).decode(), "after": orjson.dumps(after).decode()}
    asked = None if filter is None else orjson.dumps(filter).decode()
    told = {"command": command, "actor": actor(), "outcome": outcome, "filter": asked}
    await connection.execute(_RECORD, told | values)
