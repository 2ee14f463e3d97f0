"""Dead letters once more, in one transaction for several of them: decoded before, written by the normal path.

It moves no position: each record was acknowledged as `rejected` when its position moved past it, once and for all,
and the totals beside the position tell of that moment. A retry changes the tables and the letters, together, in
transactions of its own. They take the same lock, so that the service waits for one page of letters and then goes on.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.admin.letters.tally import CHANGED, REJECTED, RESOLVED, Tried
from neon_projector.consumer.admin.retry_conflicts import retry_conflicts
from neon_projector.consumer.apply import dead_letters
from neon_projector.consumer.apply.entities.plan import Written
from neon_projector.consumer.apply.entities.writers import Writers
from neon_projector.consumer.apply.mode import Mode
from neon_projector.consumer.apply.savepoints import CHECK_NOW
from neon_projector.consumer.apply.transaction import by_hand
from neon_projector.consumer.apply.unit import Unit
from neon_projector.consumer.errors import BadData, Moved, TooLarge
from neon_projector.models.control.waiting import DEAD_LETTERS
from neon_projector.projections.contract.event import Decoded, Event, Ignored, Rejection
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.state.grouping import group

_LOCK = text(f"""
    SELECT l.id FROM {DEAD_LETTERS} l JOIN unnest(CAST(:id AS bigint[]), CAST(:attempts AS integer[]))
        AS v(id, attempts) ON l.id = v.id AND l.attempts = v.attempts
    WHERE l.status = 'new' ORDER BY l.id FOR UPDATE OF l""")
_RESOLVE = text(f"UPDATE {DEAD_LETTERS} SET status = 'resolved' WHERE id = ANY(:id)")
_REJECT = text(f"""
    UPDATE {DEAD_LETTERS} l SET attempts = attempts + 1, reason = v.reason, error = v.error
    FROM unnest(CAST(:id AS bigint[]), CAST(:reason AS text[]), CAST(:error AS text[])) AS v(id, reason, error)
    WHERE l.id = v.id""")


class Candidate(NamedTuple):
    """A letter that is to be tried: its id, and its attempts when it was read. With others it was tried meanwhile."""

    id: int
    attempts: int
    decoded: Decoded


Settle = Callable[[AsyncConnection, Sequence[Tried]], Awaitable[bool]]
"""Called within the transaction with what became of its letters; whether it is committed, else it is rolled back."""


class Attempt:
    """Applies letters as the service applies records."""

    def __init__(self, engine: AsyncEngine, registry: Registry) -> None:
        self._engine = engine
        self._writers = Writers(registry)
        self._secrets = registry.secrets

    async def each(self, page: Sequence[Candidate], settle: Settle) -> AsyncIterator[list[Tried]]:
        """Try these in one transaction, in halves where the database refuses a value of one of them, or where too much
        is stored of their entities: what each transaction did, in the order of the letters.

        TransientError where the database does not answer: what is committed stays.
        """
        try:
            done = await self._transact(page, settle, Mode.EXCLUSIVE_RESOLVE)
        except (BadData, Moved, TooLarge):  # one letter alone is never too large
            if len(page) > 1:
                for half in (page[: len(page) // 2], page[len(page) // 2 :]):
                    async for done in self.each(half, settle):
                        yield done
                return
            done = await self._transact(page, settle, Mode.EXCLUSIVE_APART)
        yield done

    async def _transact(self, page: Sequence[Candidate], settle: Settle, mode: Mode) -> list[Tried]:
        return await retry_conflicts(lambda: self._transact_once(page, settle, mode))

    async def _transact_once(self, page: Sequence[Candidate], settle: Settle, mode: Mode) -> list[Tried]:
        async with by_hand(self._engine, self._writers, mode) as unit:
            done, late = await self._apply(unit, page)
            is_committed = await settle(unit.connection, done)
            await dead_letters.insert(unit.connection, late, self._secrets)  # after: it may be a letter in hand
            if is_committed:
                await unit.connection.commit()
            else:
                await unit.connection.execute(CHECK_NOW)  # else only a COMMIT would tell
            return done

    async def _apply(self, unit: Unit, page: Sequence[Candidate]) -> tuple[list[Tried], list[Rejection]]:
        """What became of these, and what had waited for them and is rejected now."""
        keys = {"id": [one.id for one in page], "attempts": [one.attempts for one in page]}
        locked = {row.id for row in await unit.connection.execute(_LOCK, keys)}
        mine = [one for one in page if one.id in locked]
        grouped = group(one.decoded for one in mine)
        written = [Written(rejected=list(grouped.rejections))]
        for entity in self._writers:  # parents before children
            if events := grouped.events.get(entity):
                written.append(await self._writers.write(unit, entity, events))
        done = sorted(_outcomes(mine, written) + [Tried(one.id, CHANGED) for one in page if one.id not in locked])
        return done, [rejection for one in written for rejection in one.released_rejections]


def _outcomes(page: Sequence[Candidate], written: Iterable[Written]) -> list[Tried]:
    numbers = {id(one.decoded.record): one.id for one in page}
    done: dict[int, Tried] = {}

    def count(outcome: str, ones: Iterable[Event | Ignored]) -> None:
        for one in ones:
            number = numbers[id(one.record)]
            done[number] = Tried(number, outcome)

    count("ignored", [one.decoded for one in page if isinstance(one.decoded, Ignored)])
    for one in written:
        count("applied", one.applied)
        count("superseded", one.superseded)
        count("parked", one.parked)
        for bad in one.rejected:
            number = numbers[id(bad.record)]
            done[number] = Tried(number, REJECTED, bad.reason.value, bad.error)
    assert done.keys() == {one.id for one in page}, "a letter has no outcome"
    return [done[one.id] for one in page]


async def write_down(connection: AsyncConnection, done: Sequence[Tried]) -> None:
    """Resolve the letters, or count one attempt more."""
    rejected = [one for one in done if one.outcome == REJECTED]
    await connection.execute(_RESOLVE, {"id": [one.id for one in done if one.outcome in RESOLVED]})
    again: dict[str, list[Any]] = {
        "id": [one.id for one in rejected],
        "reason": [one.reason for one in rejected],
        "error": [one.error for one in rejected],
    }
    await connection.execute(_REJECT, again)
