"""What `verify` is to compare."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.errors import Refused
from neon_projector.consumer.recovery.translate import translated
from neon_projector.projections.sql.verify import differences

TOO_MANY = 10_000
"""Ids that can be verified by themselves; of more all is read and compared anyway."""


@dataclass(frozen=True)
class Wanted:
    """What is to be compared: everything, only these entities or ids, or only what differed in an earlier operation."""

    entities: tuple[str, ...] = ()
    ids: tuple[UUID, ...] = ()
    max_rate: float | None = None
    """Records a second, at most."""
    hanging: bool = True
    """Whether what hangs on the ids is compared, too."""
    by_key: bool = False
    """Whether only those partitions are read that have what is keyed by the ids, as long as that is enough."""

    def as_filter(self) -> dict[str, Any]:
        ids = [str(one) for one in self.ids]
        own = {"max_rate": self.max_rate, "hanging": self.hanging, "by_key": self.by_key}
        return {"entities": list(self.entities), "ids": ids, **own}

    @classmethod
    def of_filter(cls, filter_: Mapping[str, Any]) -> "Wanted":
        entities, ids = tuple(filter_["entities"]), tuple(map(UUID, filter_["ids"]))
        hanging, by_key = filter_.get("hanging", False), filter_.get("by_key", False)
        return cls(entities, ids, filter_["max_rate"], hanging, by_key)


async def differing(engine: AsyncEngine, operation_id: int, max_rate: float | None) -> Wanted:
    """What differed in that operation. Refused where it was no verification, nothing differed, or too much."""
    with translated():
        async with engine.connect() as connection:
            values = {"operation": operation_id, "most": TOO_MANY + 1}
            rows = (await connection.execute(differences.IDS, values)).all()
    if not rows:
        raise Refused(f"nothing differed in operation {operation_id}, or it was too long ago")
    if len(rows) > TOO_MANY:
        raise Refused(f"more than {TOO_MANY:,} differed in operation {operation_id}: verify all of it")
    return Wanted(tuple(sorted({row.entity for row in rows})), tuple(row.id for row in rows), max_rate, hanging=False)
