"""What a redrive is to try, fixed when it begins: a filter, and the newest letter that there was."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.letters.filter import Filter
from neon_projector.consumer.recovery.translate import translated
from neon_projector.models.control.waiting import DEAD_LETTERS

IN_VAIN = 3
"""A letter that so many retries did not help is left out, unless that is forced. The first attempt was no retry."""


_BESIDE = ("newest", "limit", "force", "max_rate")


@dataclass(frozen=True)
class Plan:
    """New letters of `which` up to the id `newest`, at most `limit` of them; `total` is how many there were.
    `left_out`: those that failed too often."""

    which: Filter
    newest: int
    total: int
    left_out: int = 0
    limit: int | None = None
    force: bool = False
    max_rate: float | None = None
    """Letters a second, at most."""

    @property
    def condition(self) -> str:
        """A condition on a row of `dead_letters`; `values` has its parameters."""
        often = "" if self.force else f" AND attempts <= {IN_VAIN}"
        return f"{self.which.condition} AND status = 'new' AND id <= :newest{often}"

    @property
    def values(self) -> dict[str, Any]:
        return self.which.values | {"newest": self.newest}

    @property
    def kept(self) -> dict[str, Any]:
        """As JSON, for `operations.filter`; `of` is the way back."""
        return self.which.kept | {name: getattr(self, name) for name in _BESIDE}

    @classmethod
    def of(cls, kept: Mapping[str, Any], total: int) -> Self:
        """The plan that was `kept`."""
        given = dict(kept)
        beside = {name: given.pop(name) for name in _BESIDE}
        return cls(Filter.of(given), total=total, **beside)


async def plan(
    engine: AsyncEngine, which: Filter, limit: int | None, *, force: bool, max_rate: float | None = None
) -> Plan:
    """What there is of `which` now, at most `limit` letters, the oldest first."""
    often = f"attempts > {IN_VAIN} AND NOT :force"
    select = text(f"""
        SELECT max(id) AS newest, count(*) FILTER (WHERE {often}) AS often,
            count(*) FILTER (WHERE NOT ({often})) AS total
        FROM {DEAD_LETTERS} WHERE {which.condition} AND status = 'new'""")
    with translated():
        async with engine.connect() as connection:
            row = (await connection.execute(select, which.values | {"force": force})).one()
    total = row.total if limit is None else min(row.total, limit)
    return Plan(which, row.newest or 0, total, row.often, limit, force, max_rate)
