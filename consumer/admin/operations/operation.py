"""One piece of long work: a row in `projector.operations`, which whoever does the work moves on step by step.

A step is written in the transaction of the work itself, by compare-and-set on the epoch. So a step is done once however
often its runner was killed, and a runner that somebody has taken over from, or has cancelled, changes nothing any more.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.admin.operations.audit import actor
from neon_projector.consumer.errors import Cancelled, Refused, TakenOver
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.stored_json import json_of
from neon_projector.models import CONTROL_SCHEMA

OPERATIONS = f"{CONTROL_SCHEMA}.operations"
OF_GROUP = "coalesce(filter ->> 'group_id', CAST(:group_id AS text)) = :group_id"
"""A condition on a row of a command that concerns one group only. Older versions did not always write the group down:
those rows are taken for ours."""
RESUMABLE = ("started", "running", "paused", "failed")
MARK = "id || '@' || to_char(started_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS')"
"""Tells an operation from those of other databases, which have the same numbers."""
_HELD = "id = :id AND epoch = :epoch AND state IN ('started', 'running')"

_BEGIN = text(f"""
    INSERT INTO {OPERATIONS} (command, actor, state, epoch, filter, ranges, total)
    VALUES (:command, :actor, 'started', 1, CAST(:filter AS jsonb), CAST(:ranges AS jsonb), :total)
    RETURNING id, epoch, done, total, position, filter, ranges, {MARK} AS mark""")
_RESUME = text(f"""
    UPDATE {OPERATIONS} SET epoch = epoch + 1, state = 'running', error = NULL, finished_at = NULL, updated_at = now()
    WHERE id = :id AND command = :command AND state = ANY(CAST(:resumable AS text[]))
    RETURNING id, epoch, done, total, position, filter, ranges, {MARK} AS mark""")
_STEP = text(f"""
    UPDATE {OPERATIONS} SET state = 'running', updated_at = now(), done = coalesce(:done, done + :by),
        total = coalesce(:total, total), ranges = coalesce(CAST(:ranges AS jsonb), ranges),
        position = coalesce(CAST(:position AS jsonb), position)
    WHERE {_HELD} RETURNING done, total""")
_ALIVE = text(f"UPDATE {OPERATIONS} SET updated_at = now() WHERE {_HELD}")
_END = text(f"""
    UPDATE {OPERATIONS} SET state = CAST(:state AS text), error = :error, outcome = :outcome,
        after = CAST(:after AS jsonb), updated_at = now(),
        finished_at = CASE WHEN CAST(:state AS text) <> 'paused' THEN now() END
    WHERE {_HELD}""")
_STATE = text(f"SELECT command, state, epoch FROM {OPERATIONS} WHERE id = :id")


class Operation:
    """What its runner holds. `begin` and `resume` make one; `consumer.admin.operations.running` does both, and ends it.

    `done` and `total` count records, letters or rows, as the command says; `total` is None where it is unknown.
    `position` is the command's own: what it needs to go on after the last step. `result` is what it has to tell at
    the end, and becomes `after`.
    """

    def __init__(self, engine: AsyncEngine, command: str, row: Any) -> None:
        self._engine, self._epoch = engine, int(row.epoch)
        self.id, self.command, self.mark = int(row.id), command, str(row.mark)
        self.filter: dict[str, Any] = json_of(row.filter) or {}
        self.ranges: dict[str, list[int]] = json_of(row.ranges) or {}
        self.position: dict[str, Any] = json_of(row.position) or {}
        self.done, self.total = int(row.done), None if row.total is None else int(row.total)
        self.result: dict[str, Any] | None = None
        self.outcome = "done"
        self.ends = "completed"
        """How it ends without an error: `paused` where a person is asked before it goes on."""

    @classmethod
    async def begin(
        cls,
        engine: AsyncEngine,
        command: str,
        *,
        filter: Mapping[str, Any] | None = None,  # noqa: A002  the column's name
        ranges: Mapping[str, list[int]] | None = None,
        total: int | None = None,
    ) -> "Operation":
        """A new one, `started`; its filter is fixed from here on."""
        values = {"command": command, "actor": actor(), "total": total, **_jsons(filter=filter, ranges=ranges)}
        with translated():
            async with engine.begin() as connection:
                return cls(engine, command, (await connection.execute(_BEGIN, values)).one())

    @classmethod
    async def resume(cls, engine: AsyncEngine, command: str, operation_id: int) -> "Operation":
        """Take it over from whoever ran it. Refused where there is none, or none that can go on."""
        values = {"id": operation_id, "command": command, "resumable": list(RESUMABLE)}
        with translated():
            async with engine.begin() as connection:
                row = (await connection.execute(_RESUME, values)).first()
                if row is None:
                    raise await _not_resumable(connection, command, operation_id)
        return cls(engine, command, row)

    @contextmanager
    def understood(self) -> Iterator[None]:
        """Within, its filter, ranges and position are read. Refused where they are not as this version writes them."""
        try:
            yield
        except (AttributeError, KeyError, TypeError, ValueError):
            raise Refused(
                f"operation {self.id} was begun by another version, or edited: this version does not understand what "
                "was asked for"
            ) from None

    async def step(
        self,
        connection: AsyncConnection,
        *,
        by: int = 0,
        done: int | None = None,
        total: int | None = None,
        position: Mapping[str, Any] | None = None,
        ranges: Mapping[str, list[int]] | None = None,
    ) -> None:
        """In the caller's open transaction, beside the work: `by` more are done (or `done` in all), and `position` is
        how far. What is not given stays. Cancelled or TakenOver where this runner may not go on: then roll back."""
        values = {"by": by, "done": done, "total": total, **_jsons(position=position, ranges=ranges)}
        row = (await connection.execute(_STEP, values | self._key)).first()
        if row is None:
            raise await self.ended(connection)
        self.done, self.total = int(row.done), None if row.total is None else int(row.total)
        self.position = self.position if position is None else dict(position)
        self.ranges = self.ranges if ranges is None else dict(ranges)

    async def report(
        self,
        *,
        by: int = 0,
        done: int | None = None,
        total: int | None = None,
        position: Mapping[str, Any] | None = None,
        ranges: Mapping[str, list[int]] | None = None,
    ) -> None:
        """A step in a transaction of its own, for work that changes nothing in the database."""
        with translated():
            async with self._engine.begin() as connection:
                await self.step(connection, by=by, done=done, total=total, position=position, ranges=ranges)

    async def alive(self) -> None:
        """A sign of life. Cancelled or TakenOver as in `step`."""
        with translated():
            async with self._engine.begin() as connection:
                if (await connection.execute(_ALIVE, self._key)).rowcount == 0:
                    raise await self.ended(connection)

    async def end(self, state: str, error: str | None = None) -> None:
        """The runner is done with it: `completed`, `paused`, or `failed` with an `error` that has no content."""
        after = None if self.result is None else orjson.dumps(self.result).decode()
        outcome = self.outcome if state == "completed" else None
        values = {"state": state, "error": error, "outcome": outcome, "after": after}
        with translated():
            async with self._engine.begin() as connection:
                if (await connection.execute(_END, values | self._key)).rowcount == 0:
                    raise await self.ended(connection)

    async def ended(self, connection: AsyncConnection) -> Refused:
        """Why this runner may not go on."""
        row = (await connection.execute(_STATE, {"id": self.id})).first()
        return Cancelled() if row is None or row.state == "cancelled" else TakenOver()

    @property
    def _key(self) -> dict[str, int]:
        return {"id": self.id, "epoch": self._epoch}


async def _not_resumable(connection: AsyncConnection, command: str, operation_id: int) -> Refused:
    row = (await connection.execute(_STATE, {"id": operation_id})).first()
    if row is None:
        return Refused(f"there is no operation {operation_id}")
    if row.command != command:
        return Refused(f"operation {operation_id} is of `{row.command}`, not of `{command}`")
    return Refused(f"operation {operation_id} is {row.state}: there is nothing to resume")


def _jsons(**values: Any) -> dict[str, str | None]:
    return {name: None if value is None else orjson.dumps(value).decode() for name, value in values.items()}
