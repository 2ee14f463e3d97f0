"""Reads only the partitions that have what is keyed by some ids, and tells when that is not enough."""

from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.verify import hanging
from neon_projector.consumer.admin.verify.by_key import keys_of, partitions_with
from neon_projector.consumer.admin.verify.snapshot import Positions
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.sql.verify import differences


class Partly:
    """For one operation whose `Wanted` is `by_key`."""

    def __init__(self, engine: AsyncEngine, settings: Settings, registry: Registry) -> None:
        self._engine, self._settings, self._registry = engine, settings, registry

    async def begin(
        self, ids: Collection[UUID], positions: Positions, said: Callable[[str], None]
    ) -> dict[str, Any]:  # fmt: skip
        """For the operation's position: `keyed`, the partitions to be read, as `topic:partition` (None: all), and
        `form`, how keys are written (None: that can't be told of all). Says which topics are read whole, and why."""
        keys = await keys_of(self._settings, self._registry, positions)
        for topic in sorted(topic for topic, own in keys.items() if own.partitioner is None):
            said(f"{topic} is read whole: the keys of its records do not tell in which partition an id's records are")
        found = partitions_with(keys, await hanging.kinds(self._engine, self._registry, ids), positions)
        forms = {own.partitioner and own.partitioner.form for own in keys.values()}
        if found == positions.keys():
            return {"keyed": None, "form": None}
        names = sorted(f"{partition.topic}:{partition.partition}" for partition in found)
        return {"keyed": names, "form": forms.pop() if len(forms) == 1 else None}

    async def lost(self, ids: Collection[UUID]) -> bool:
        """Whether the database knows nothing of one of these: they hung on what is compared, by its records."""
        kinds = await hanging.kinds(self._engine, self._registry, ids) if ids else {}
        return bool(kinds) and bool(frozenset.intersection(*kinds.values()))

    async def unexplained(self, operation_id: int) -> bool:
        """Whether something that differs may have its cause in a partition that was not read."""
        childless = [one.entity for one in self._registry if not self._registry.children_of(one.entity)]
        with translated():
            async with self._engine.connect() as connection:
                found = await connection.execute(differences.unexplained(childless), {"operation": operation_id})
                return bool(found.scalar_one())
