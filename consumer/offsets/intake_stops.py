"""Intake that is stopped, by an operator (`paused`) or the fuse (`fuse`), for a topic or for all: it outlasts restarts.

Each stop is its own: of one group, one topic (or all) and one reason. A stop raises the epochs of the positions:
whoever reads there is fenced, reads its positions again, and sees the stop.

The table's key has no reason, as the version before writes `ON CONFLICT (group_id, topic)`, and may still run. So a
stop by the fuse and what an operator accepted have a key of their own, `fuse:users` and `accepted:users`; a topic's
name can't have a colon. The version before sees and sets pauses as ever; it does not see those two.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.stored_json import json_of
from neon_projector.models import CONTROL_SCHEMA

ALL = "*"
"""In place of a topic's name: every topic."""
PAUSED, FUSE = "paused", "fuse"
ACCEPTED = "accepted"
"""Not a stop: the fuse has blown, and an operator wants the rejections, until the time that is said."""
ACCEPTED_FOR = "10 minutes"
WORDS_KEPT_CHARACTERS = 300

_TABLE = f"{CONTROL_SCHEMA}.intake_stops"
_UNTIL = f"coalesce(until, since + interval '{ACCEPTED_FOR}')"
_READ = text(f"""
    SELECT topic AS key, reason, actor, since, message, except_topics,
        CASE WHEN reason = '{ACCEPTED}' THEN {_UNTIL} END AS until,
        CASE WHEN reason = '{ACCEPTED}' THEN extract(epoch FROM {_UNTIL} - now())::float8 ELSE 0 END AS seconds_left
    FROM {_TABLE} WHERE group_id = :group_id AND (reason <> '{ACCEPTED}' OR {_UNTIL} > now())
    ORDER BY since, topic""")
_WRITE = f"""
    INSERT INTO {_TABLE} AS s (group_id, topic, reason, actor, message, until)
    VALUES (:group_id, :key, :reason, :actor, :message,
        CASE WHEN CAST(:reason AS text) = '{ACCEPTED}' THEN now() + interval '{ACCEPTED_FOR}' END)
    ON CONFLICT (group_id, topic)"""
_SET = text(f"""{_WRITE} DO UPDATE SET reason = excluded.reason, actor = excluded.actor, message = excluded.message,
    until = excluded.until, since = now(), except_topics = NULL""")
_BLOW = text(f"""
    INSERT INTO {_TABLE} (group_id, topic, reason, message)
    SELECT :group_id, CAST(:key AS text), '{FUSE}', CAST(:message AS text) WHERE NOT EXISTS (
        SELECT FROM {_TABLE} WHERE group_id = :group_id AND reason = '{ACCEPTED}' AND {_UNTIL} > now()
            AND topic IN ('{ALL}', CAST(:accepted AS text)))
    ON CONFLICT (group_id, topic) DO NOTHING""")
_EXCEPT = text(f"""
    UPDATE {_TABLE} SET except_topics = coalesce(except_topics, '[]') || CAST(:topics AS jsonb)
    WHERE group_id = :group_id AND topic = :key""")
_FENCE = text(f"""
    UPDATE {CONTROL_SCHEMA}.offsets SET epoch = epoch + 1
    WHERE group_id = :group_id AND CAST(:topic AS text) IN ('{ALL}', topic)""")
_REMOVE = text(f"DELETE FROM {_TABLE} WHERE group_id = :group_id AND topic = ANY(CAST(:keys AS text[]))")
_RESUMED = text(f"""
    SELECT actor, outcome FROM {CONTROL_SCHEMA}.operations
    WHERE command = 'resume' AND coalesce(filter ->> 'group_id', CAST(:group_id AS text)) = :group_id
    ORDER BY id DESC LIMIT 1""")


class Stop(NamedTuple):
    """One stop, or what is accepted. `key` is its own in the group; `topic` may be `ALL`."""

    key: str
    topic: str
    reason: str
    actor: str | None
    since: datetime
    message: str | None
    until: datetime | None
    """Of what is accepted; the others last until they are lifted."""
    seconds_left: float
    except_topics: tuple[str, ...]
    """Where all topics are stopped: those that go on nevertheless."""

    def holds(self, topic: str) -> bool:
        """Whether it stops `topic`."""
        return self.reason != ACCEPTED and self.concerns(topic)

    def concerns(self, topic: str) -> bool:
        return self.topic == topic or (self.topic == ALL and topic not in self.except_topics)


async def read(connection: AsyncConnection, group_id: str) -> list[Stop]:
    """All stops, and what is accepted at this time; the oldest first."""
    return [
        Stop(
            row.key, row.key.partition(":")[2] or row.key, row.reason, row.actor, row.since, row.message,
            row.until, row.seconds_left, tuple(json_of(row.except_topics) or ()),
        )
        for row in await connection.execute(_READ, {"group_id": group_id})
    ]  # fmt: skip


def reasons(stops: Iterable[Stop], topic: str) -> str | None:
    """Why `topic` is stopped: `paused`, `fuse`, or both with a comma; None where it is not."""
    return ", ".join(sorted({stop.reason for stop in stops if stop.holds(topic)})) or None


def accepted_seconds(stops: Iterable[Stop], topic: str) -> float:
    """How much longer the rejections of `topic` are accepted; 0: not."""
    return max((s.seconds_left for s in stops if s.reason == ACCEPTED and s.concerns(topic)), default=0.0)


def by_topic(stops: Iterable[Stop]) -> dict[str, str]:
    """The reasons of the stops by topic, as they were set: `ALL` is one of them."""
    found: dict[str, list[str]] = {}
    for stop in stops:
        if stop.reason != ACCEPTED:
            found.setdefault(stop.topic, []).append(stop.reason)
    return {topic: ", ".join(sorted(set(own))) for topic, own in found.items()}


async def pause(
    connection: AsyncConnection, group_id: str, topic: str, actor: str | None = None, message: str | None = None
) -> None:
    """Stop the intake of `topic`, or of all."""
    values = {"group_id": group_id, "key": topic, "reason": PAUSED, "actor": actor, "message": message}
    await connection.execute(_SET, values)
    await _fence(connection, group_id, topic)


async def blow(connection: AsyncConnection, group_id: str, topic: str, message: str) -> bool:
    """The fuse stops `topic`; False where it is stopped so already, by another batch or another instance, and where its
    rejections are accepted, which whoever blew it has not read yet."""
    values = {"group_id": group_id, "key": f"{FUSE}:{topic}", "accepted": f"{ACCEPTED}:{topic}", "message": message}
    if (await connection.execute(_BLOW, values)).rowcount == 0:
        return False
    await _fence(connection, group_id, topic)
    return True


async def accept(
    connection: AsyncConnection, group_id: str, topic: str, actor: str | None, message: str | None
) -> None:
    """The rejections of `topic` are wanted, for ten minutes from now."""
    values = {"group_id": group_id, "key": f"{ACCEPTED}:{topic}", "reason": ACCEPTED, "actor": actor}
    await connection.execute(_SET, {**values, "message": message})
    await _fence(connection, group_id, topic)


async def lift(connection: AsyncConnection, group_id: str, stops: Sequence[Stop]) -> None:
    """Take these stops away."""
    if stops:
        await connection.execute(_REMOVE, {"group_id": group_id, "keys": [stop.key for stop in stops]})


async def end_accept(connection: AsyncConnection, group_id: str, accepted: Sequence[Stop]) -> None:
    """These rejections are no longer accepted, before their time is over."""
    await lift(connection, group_id, accepted)
    for stop in accepted:
        await _fence(connection, group_id, stop.topic)


async def except_topic(connection: AsyncConnection, group_id: str, stop: Stop, topic: str) -> None:
    """Let `topic` go on though `stop` holds all the others."""
    topics = orjson.dumps([topic]).decode()
    await connection.execute(_EXCEPT, {"group_id": group_id, "key": stop.key, "topics": topics})


async def last_resume(connection: AsyncConnection, group_id: str) -> Mapping[str, str | None]:
    """Who ran `projector resume` last for this group, and its outcome: with the message, if one was given."""
    row = (await connection.execute(_RESUMED, {"group_id": group_id})).first()
    return {} if row is None else {"by": row.actor, "outcome": row.outcome}


def words(message: str | None) -> str | None:
    """An operator's message on one line, and not endless."""
    plain = "".join(c if c.isprintable() else " " for c in message or "")
    return " ".join(plain.split())[:WORDS_KEPT_CHARACTERS] or None


def lifted_by(topic: str) -> str:
    """The command that lifts a stop of `topic`, or of all topics."""
    return "projector resume" if topic == ALL else f"projector resume --topic {topic}"


def said_topic(topic: str) -> str:
    return "all topics" if topic == ALL else topic


def said_time(at: datetime) -> str:
    """To the second, in UTC: `2026-11-22T12:00:00Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def _fence(connection: AsyncConnection, group_id: str, topic: str) -> None:
    await connection.execute(_FENCE, {"group_id": group_id, "topic": topic})
