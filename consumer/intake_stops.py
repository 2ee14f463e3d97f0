"""Intake that is stopped, by an operator (`paused`) or the fuse (`fuse`), for a topic or for all: it outlasts restarts.

A stop raises the epochs of the positions: whoever reads there is fenced, reads its positions again, and sees the stop.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from models import CONTROL_SCHEMA

ALL = "*"
"""In place of a topic's name: every topic."""

ACCEPTED = "accepted"
"""Not a stop: the fuse has blown, and an operator wants the rejections. It holds for ten minutes."""

_READ = text(f"""
    SELECT topic, reason FROM {CONTROL_SCHEMA}.intake_stops
    WHERE group_id = :group_id AND (reason <> '{ACCEPTED}' OR since > now() - interval '10 minutes')""")
_WRITE = text(f"""
    INSERT INTO {CONTROL_SCHEMA}.intake_stops (group_id, topic, reason, actor)
    VALUES (:group_id, :topic, :reason, :actor)
    ON CONFLICT (group_id, topic) DO UPDATE SET reason = excluded.reason, actor = excluded.actor, since = now()""")
_FENCE = text(f"""
    UPDATE {CONTROL_SCHEMA}.offsets SET epoch = epoch + 1
    WHERE group_id = :group_id AND CAST(:topic AS text) IN ('{ALL}', topic)""")
_REMOVE = text(f"""
    DELETE FROM {CONTROL_SCHEMA}.intake_stops
    WHERE group_id = :group_id AND CAST(:topic AS text) IN ('{ALL}', topic)""")


async def read(connection: AsyncConnection, group_id: str) -> dict[str, str]:
    """The reasons of the stops, by topic."""
    return {row.topic: row.reason for row in await connection.execute(_READ, {"group_id": group_id})}


async def stop(connection: AsyncConnection, group_id: str, topic: str, reason: str, actor: str | None = None) -> None:
    """Stop the intake of `topic`, or of all."""
    values = {"group_id": group_id, "topic": topic}
    await connection.execute(_WRITE, {**values, "reason": reason, "actor": actor})
    await connection.execute(_FENCE, values)


async def resume(connection: AsyncConnection, group_id: str, topic: str) -> int:
    """Take the stops of `topic` (of all: every stop) away; returns how many there were."""
    return (await connection.execute(_REMOVE, {"group_id": group_id, "topic": topic})).rowcount
