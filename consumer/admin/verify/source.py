"""What one operation reads of the topics, and where it keeps it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from asyncpg.pgproto import pgproto
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.letters.edits import TOPIC as EDITED
from neon_projector.consumer.admin.letters.edits import edits
from neon_projector.consumer.admin.operations import left_behind
from neon_projector.consumer.admin.operations.live import Live
from neon_projector.consumer.admin.operations.operation import Operation
from neon_projector.consumer.admin.operations.pace import Pace
from neon_projector.consumer.admin.verify import directory
from neon_projector.consumer.admin.verify.kept import Kept, kept_of
from neon_projector.consumer.admin.verify.reading import Reading, partitions_of
from neon_projector.consumer.admin.verify.snapshot import Positions
from neon_projector.consumer.admin.verify.spill import Spill
from neon_projector.consumer.admin.verify.tails import Tails
from neon_projector.consumer.admin.verify.wanted import Wanted
from neon_projector.consumer.admin.watermarks import bounds_of
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.sql.verify import tables
from neon_projector.projections.sql.verify.tables import Scope, Side
from neon_projector.projections.state.packed import ENCODER, Packing

READING = "reading the topics"


class Tell:
    """Hears of the progress; this one says nothing."""

    def at(self, what: str, done: int, total: int | None) -> None: ...
    def said(self, sentence: str) -> None: ...


class Source:
    """Of an operation whose `position` has the directory on disk, and its token."""

    def __init__(
        self, engine: AsyncEngine, settings: Settings, registry: Registry, operation: Operation, tell: Tell
    ) -> None:
        self._engine, self._settings, self._registry = engine, settings, registry
        self._operation, self._tell = operation, tell
        self._wanted = wanted = Wanted.of_filter(operation.filter)
        ids = operation.position.get("ids", wanted.ids)
        self.scope = Scope(frozenset(wanted.entities), frozenset(map(UUID, map(str, ids))))
        self.side = Side(left_behind.table_of(operation.id, ""))
        self.spill: Spill | None = None
        self._kept: Kept | None = None
        """What Kafka can't give up to the positions, as it was found first."""
        self._tails: Tails | None = None
        """What the topics had at or behind the positions of the snapshot; None where an earlier runner took that."""

    def reopen(self) -> Spill | None:
        """What an earlier runner has read; None where that is no longer on this machine."""
        spill = self._spill(self._operation.position, self.positions)
        return spill if spill.manifest.read else None

    def tidy_up(self) -> None:
        """Nothing of it is needed any more on this machine."""
        if self.spill is not None:
            self.spill.close()
            self.spill = None
        directory.remove(self._operation.id, self._operation.position.get("directory"))

    @property
    def positions(self) -> Positions:
        """Those of the snapshot."""
        return partitions_of({name: end for name, (_, end) in self._operation.ranges.items()})

    def _new_directory(self) -> dict[str, Any]:
        self.tidy_up()
        return {"directory": directory.make(self._operation.id), "token": uuid4().hex}

    def _spill(self, position: Mapping[str, Any], positions: Positions) -> Spill:
        if self.spill is not None:
            self.spill.close()
        directory_, token = Path(position["directory"]), position["token"]
        self.spill = Spill(directory_, token, sum(positions.values()), ENCODER)
        return self.spill

    def packing(self, positions: Positions) -> Packing:
        places = [(p.topic, p.partition) for p in sorted(positions)]
        return Packing(self._registry, [*places, (EDITED, 0)], pgproto.UUID)

    async def _read(
        self, spill: Spill, positions: Positions, scope: Scope | None = None, what: str = READING
    ) -> frozenset[UUID]:
        """Returns the ids of what hangs on those of the scope."""
        async with self._paced() as pace:
            packing, form = self.packing(positions), self._operation.position.get("form")
            reading = Reading(self._settings, self._registry, scope or self.scope, spill, packing, pace, form)
            reading.edited(await edits(self._engine))
            self._kept = self._kept or await self._kept_of(positions)
            await reading.read(self._to_read(positions), self._kept, partial(self._tell.at, what), self._step)
        return frozenset(reading.hanging)

    async def _kept_of(self, positions: Positions) -> Kept:
        return await kept_of(self._engine, self._settings, positions)

    async def _look_behind(self, positions: Positions) -> Tails:
        gone = self._kept.gone if self._kept else ()
        self._tails = Tails.of(positions, await bounds_of(self._settings), gone)
        return self._tails

    @property
    def keyed(self) -> list[str] | None:
        """The only partitions that are read, as `topic:partition`; None: all."""
        found: list[str] | None = self._operation.position.get("keyed")
        return found

    def _to_read(self, positions: Positions) -> Positions:
        keyed = self.keyed
        return (
            positions if keyed is None else {p: e for p, e in positions.items() if f"{p.topic}:{p.partition}" in keyed}
        )

    async def _fold_again(self) -> None:
        """What was folded is of a reading that is lost."""
        with translated():
            async with self._engine.begin() as connection:
                for statement in tables.empty(self._registry, self.side, self.scope):
                    await connection.execute(text(statement))
                await self._operation.step(connection, position=self._operation.position | {"folded": 0})

    @asynccontextmanager
    async def _paced(self) -> AsyncIterator[Pace]:
        async with Live(self._engine, self._settings) as live:
            yield Pace(self._wanted.max_rate, live.behind)

    async def _step(self, records: int) -> None:
        await self._operation.report(done=records)
