"""Reads the letters of a redrive, a page at a time, and decodes their records with today's code."""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.letters.attempt import Candidate
from neon_projector.consumer.admin.letters.originals import LETTER_COLUMNS, Letter, original
from neon_projector.consumer.admin.letters.plan import Plan
from neon_projector.consumer.admin.letters.tally import LOST, Tried
from neon_projector.consumer.admin.lookup import Records
from neon_projector.consumer.batching.sizes import size_of
from neon_projector.consumer.recovery.translate import translated
from neon_projector.models.control.waiting import DEAD_LETTERS
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Decoded

PAGE = 100
"""Letters read, and tried in one transaction, at a time."""


class Page(NamedTuple):
    """Letters to try in one transaction, and those that can't be tried."""

    candidates: list[Candidate]
    lost: list[Tried]


class Reading:
    """The letters that a plan means, from one id on. `max_bytes`: so much, in bytes, one page holds at most, give or
    take its last record."""

    def __init__(self, engine: AsyncEngine, records: Records, decode: Decoder, plan: Plan, max_bytes: int) -> None:
        self._engine, self._records, self._decode = engine, records, decode
        self._plan, self._max_bytes = plan, max_bytes
        self._select = text(f"""
            SELECT {LETTER_COLUMNS}, attempts FROM {DEAD_LETTERS}
            WHERE {plan.condition} AND id > :after ORDER BY id LIMIT :page""")

    async def pages(self, after: int, number: int) -> AsyncIterator[Page]:
        """At most `number` letters with ids above `after`, in ascending order."""
        while number > 0 and (letters := await self._load(after, min(number, PAGE))):
            number -= len(letters)
            after = letters[-1]["id"]
            page, size = Page([], []), 0
            for letter in letters:
                decoded = await self.decoded(letter)
                if decoded is None:
                    page.lost.append(Tried(letter["id"], LOST))
                    continue
                page.candidates.append(Candidate(letter["id"], letter["attempts"], decoded))
                size += size_of(decoded.record)
                if size >= self._max_bytes:
                    yield page
                    page, size = Page([], []), 0
            yield page

    async def decoded(self, letter: Letter) -> Decoded | None:
        """Its record with today's code; None where it is lost."""
        record = await original(letter, self._records, self._decode)
        return None if record is None else self._decode(record)

    async def _load(self, after: int, number: int) -> list[dict[str, Any]]:
        values = self._plan.values | {"after": after, "page": number}
        with translated():
            async with self._engine.connect() as connection:
                return [dict(row) for row in (await connection.execute(self._select, values)).mappings()]
