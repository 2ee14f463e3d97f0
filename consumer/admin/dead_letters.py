"""Dead letters: chosen, listed, shown, exported, given up. Their contents are as they are kept: masked and cut."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.admin.operations import audit as operations
from neon_projector.consumer.recovery.translate import translated
from neon_projector.models.waiting import DEAD_LETTERS

Row = dict[str, Any]

SHOWN = (
    """id, topic, partition, "offset", reason, error, event_id, source, type, entity_id, attempts, created_at, status"""
)
KEPT = f"{SHOWN}, sha256, key, headers, header_count, value, value_length"
PAGE = 200
"""Letters exported by one statement: each may hold 64 KiB."""

_CHOSEN = text(f"""
    SELECT id FROM {DEAD_LETTERS}
    WHERE status = 'new' AND (CAST(:all AS boolean) OR id = ANY(CAST(:id AS bigint[])) OR reason = :reason)
    ORDER BY id""")
_DISCARD = text(f"""
    UPDATE {DEAD_LETTERS} SET status = 'discarded'
    WHERE id = ANY(CAST(:id AS bigint[])) AND status = 'new' RETURNING id""")


@dataclass(frozen=True)
class Choice:
    """Which of the new dead letters: these, those of a reason, or all."""

    ids: tuple[int, ...] = ()
    reason: str | None = None
    every: bool = False


@dataclass(frozen=True)
class Filter:
    """Which dead letters to look at; None: whatever it is."""

    status: str | None = None
    reason: str | None = None
    topic: str | None = None

    @property
    def given(self) -> dict[str, str]:
        return {name: value for name, value in vars(self).items() if value is not None}

    @property
    def condition(self) -> str:
        return " AND ".join(["true", *(f"{name} = :{name}" for name in self.given)])


async def chosen(engine: AsyncEngine, choice: Choice) -> list[int]:
    """The ids of the new dead letters of `choice`."""
    values = {"all": choice.every, "id": list(choice.ids), "reason": choice.reason}
    with translated():
        async with engine.connect() as connection:
            return list((await connection.execute(_CHOSEN, values)).scalars())


async def listed(engine: AsyncEngine, which: Filter, limit: int) -> list[Row]:
    """The newest, without their contents."""
    select = f"SELECT {SHOWN} FROM {DEAD_LETTERS} WHERE {which.condition} ORDER BY id DESC LIMIT :limit"
    with translated():
        async with engine.connect() as connection:
            return await _rows(connection, select, limit=limit, **which.given)


async def letter(engine: AsyncEngine, number: int) -> Row | None:
    """One, with its key, headers and value."""
    with translated():
        async with engine.connect() as connection:
            found = await _rows(connection, f"SELECT {KEPT} FROM {DEAD_LETTERS} WHERE id = :id", id=number)
    return found[0] if found else None


async def exported(engine: AsyncEngine, which: Filter) -> AsyncIterator[Row]:
    """All of them with their contents, the oldest first."""
    select = f"SELECT {KEPT} FROM {DEAD_LETTERS} WHERE {which.condition} AND id > :after ORDER BY id LIMIT {PAGE}"
    after = 0
    with translated():
        async with engine.connect() as connection:
            while page := await _rows(connection, select, after=after, **which.given):
                for row in page:
                    yield row
                after = page[-1]["id"]


async def discard(engine: AsyncEngine, ids: Sequence[int]) -> list[int]:
    """Give these up; returns those that were still new. Without any there is no trace."""
    with translated():
        async with engine.begin() as connection:
            done = sorted((await connection.execute(_DISCARD, {"id": list(ids)})).scalars())
            if done:
                before, after = {"new": done}, {"discarded": done}
                await operations.record(connection, "dead-letters discard", before=before, after=after)
    return done


async def _rows(connection: AsyncConnection, select: str, **values: Any) -> list[Row]:
    return [dict(row) for row in (await connection.execute(text(select), values)).mappings()]
