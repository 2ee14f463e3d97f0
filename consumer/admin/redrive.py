"""Dead letters once more: decoded with today's code, written by the normal path.

It moves no position: each record was acknowledged as `rejected` when its position moved past it, once and for all,
and the totals beside the position tell of that moment. A retry changes the tables and the letters, together, in
transactions of its own. They take the same lock, so that the service waits for one page of letters and then goes on.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.admin.letters.originals import LETTER_COLUMNS, Letter, original, was_parked
from neon_projector.consumer.admin.lookup import Records
from neon_projector.consumer.admin.operations import audit as operations
from neon_projector.consumer.admin.retry_conflicts import retry_conflicts
from neon_projector.consumer.apply import dead_letters
from neon_projector.consumer.apply.entities.plan import Written
from neon_projector.consumer.apply.entities.writers import Writers
from neon_projector.consumer.apply.lock import enter
from neon_projector.consumer.apply.mode import Mode
from neon_projector.consumer.apply.savepoints import CHECK_NOW
from neon_projector.consumer.batching.sizes import size_of
from neon_projector.consumer.errors import BadData, Moved, TooLarge
from neon_projector.consumer.offsets.service_settings import as_the_service
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings
from neon_projector.models.waiting import DEAD_LETTERS
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Decoded, Event, Ignored, Rejection
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.state.grouping import group

PAGE = 100
"""Letters read, and tried in one transaction, at a time."""

_LOAD = text(f"SELECT {LETTER_COLUMNS} FROM {DEAD_LETTERS} WHERE id = ANY(:id) AND status = 'new' ORDER BY id")
_LOCK = text(f"SELECT id FROM {DEAD_LETTERS} WHERE id = ANY(:id) AND status = 'new' ORDER BY id FOR UPDATE")
_RESOLVE = text(f"UPDATE {DEAD_LETTERS} SET status = 'resolved' WHERE id = ANY(:id)")
_REJECT = text(f"""
    UPDATE {DEAD_LETTERS} l SET attempts = attempts + 1, reason = v.reason, error = v.error
    FROM unnest(CAST(:id AS bigint[]), CAST(:reason AS text[]), CAST(:error AS text[])) AS v(id, reason, error)
    WHERE l.id = v.id""")


@dataclass(slots=True)
class Tried:
    """What became of letters: their ids by outcome, and why some were rejected again.

    Outcomes are `applied`, `superseded`, `parked`, `ignored` (these resolve the letter), `rejected`, and `lost`: kept
    masked or cut, and Kafka has the record no more.
    """

    outcomes: dict[int, str] = field(default_factory=dict)
    rejected: dict[int, Rejection] = field(default_factory=dict)

    @property
    def resolved(self) -> list[int]:
        return [number for number, outcome in self.outcomes.items() if outcome not in ("rejected", "lost")]

    def counts(self) -> Counter[str]:
        return Counter(self.outcomes.values())


class LetterRetry:
    """Tries dead letters again. Without `execute` every transaction is rolled back: what it tells is what would be."""

    def __init__(self, engine: AsyncEngine, settings: Settings, registry: Registry, *, execute: bool) -> None:
        self._engine = engine
        self._settings = settings
        self._execute = execute
        self._registry = registry
        self._decode = Decoder(registry, settings.event_max_bytes)
        self._writers = Writers(registry)
        self._secrets = registry.secrets

    async def run(self, numbers: Sequence[int]) -> Tried:
        """Try the letters of these ids that are new.

        TransientError where a server does not answer: what is done stays.
        """
        tried, settings = Tried(), await as_the_service(self._engine, self._settings)
        self._decode = Decoder(self._registry, settings.event_max_bytes)
        async with Records(self._settings) as records:
            for at in range(0, len(numbers), PAGE):
                async for page in self._pages(list(numbers[at : at + PAGE]), records, tried):
                    await self._try_page(page, tried)
        return tried

    async def _pages(self, ids: list[int], records: Records, tried: Tried) -> AsyncIterator[dict[int, Decoded]]:
        """Letters decoded, a few at a time: as many as a batch may have bytes."""
        with translated():
            async with self._engine.connect() as connection:
                letters = [dict(row) for row in (await connection.execute(_LOAD, {"id": ids})).mappings()]
        page: dict[int, Decoded] = {}
        size = 0
        for letter in letters:
            decoded = await self._decoded(letter, records)
            if decoded is None:
                tried.outcomes[letter["id"]] = "lost"
                continue
            page[letter["id"]] = decoded
            size += size_of(decoded.record)
            if size >= self._settings.batch_max_bytes:
                yield page
                page, size = {}, 0
        if page:
            yield page

    async def _decoded(self, letter: Letter, records: Records) -> Decoded | None:
        record = await original(letter, records)
        decoded = None if record is None else self._decode(record)
        if was_parked(letter) and getattr(decoded, "event_id", None) != letter["event_id"]:
            return None  # another record stands there by now
        return decoded

    async def _try_page(self, page: Mapping[int, Decoded], tried: Tried) -> None:
        """Try these in one transaction, in halves where the database refuses a value of one of them.

        So also where too much is stored of their entities.
        """
        try:
            done = await self._transact(page)
        except (BadData, Moved, TooLarge):  # one letter alone is never too large
            if len(page) == 1:
                done = await self._transact(page, Mode.EXCLUSIVE_APART)
            else:
                items = list(page.items())
                await self._try_page(dict(items[: len(items) // 2]), tried)
                await self._try_page(dict(items[len(items) // 2 :]), tried)
                return
        tried.outcomes |= done.outcomes
        tried.rejected |= done.rejected

    async def _transact(self, page: Mapping[int, Decoded], mode: Mode = Mode.EXCLUSIVE_RESOLVE) -> Tried:
        return await retry_conflicts(lambda: self._transact_once(page, mode))

    async def _transact_once(self, page: Mapping[int, Decoded], mode: Mode) -> Tried:
        with translated():
            try:
                async with self._engine.connect() as connection:
                    transaction = await connection.begin()
                    done = await self._apply(connection, page, mode)
                    if not self._execute:
                        await connection.execute(CHECK_NOW)  # else only a COMMIT would tell
                    await (transaction.commit() if self._execute else transaction.rollback())
                    return done
            except DBAPIError as error:
                raise await self._writers.read(self._engine, error, mode) from None

    async def _apply(self, connection: AsyncConnection, page: Mapping[int, Decoded], mode: Mode) -> Tried:
        unit = await enter(connection, mode)
        locked = await connection.execute(_LOCK, {"id": list(page)})
        still_new = {row.id: page[row.id] for row in locked}
        grouped = group(still_new.values())
        written = [Written(rejected=list(grouped.rejections))]
        for entity in self._writers:  # parents before children
            if events := grouped.events.get(entity):
                written.append(await self._writers.write(unit, entity, events))
        done = _outcomes(still_new, written)
        await _settle(connection, done)
        late = [rejection for one in written for rejection in one.released_rejections]
        await dead_letters.insert(connection, late, self._secrets)  # after: one of these may be a letter in hand
        return done


def _outcomes(page: Mapping[int, Decoded], written: Iterable[Written]) -> Tried:
    done = Tried()
    numbers = {id(decoded.record): number for number, decoded in page.items()}

    def count(outcome: str, ones: Iterable[Event | Rejection | Ignored]) -> None:
        done.outcomes.update({numbers[id(one.record)]: outcome for one in ones})

    count("ignored", [decoded for decoded in page.values() if isinstance(decoded, Ignored)])
    for one in written:
        count("applied", one.applied)
        count("superseded", one.superseded)
        count("parked", one.parked)
        count("rejected", one.rejected)
        done.rejected |= {numbers[id(rejection.record)]: rejection for rejection in one.rejected}
    assert done.outcomes.keys() == page.keys(), "a letter has no outcome"
    return done


async def _settle(connection: AsyncConnection, done: Tried) -> None:
    """Write down what became of the letters, and leave the trace."""
    if not done.outcomes:
        return
    await connection.execute(_RESOLVE, {"id": done.resolved})
    again: dict[str, list[Any]] = {
        "id": list(done.rejected),
        "reason": [rejection.reason.value for rejection in done.rejected.values()],
        "error": [rejection.error for rejection in done.rejected.values()],
    }
    await connection.execute(_REJECT, again)
    trace = {"resolved": done.resolved, "rejected": list(done.rejected)}
    await operations.record(connection, "dead-letters retry", before={"new": list(done.outcomes)}, after=trace)
