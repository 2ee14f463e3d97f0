"""The steps of one verification, from wherever it is: read, fold, compare."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from asyncpg.pgproto import pgproto
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.admin.operations import left_behind
from neon_projector.consumer.admin.operations.live import Live
from neon_projector.consumer.admin.operations.operation import Operation
from neon_projector.consumer.admin.operations.pace import Pace
from neon_projector.consumer.admin.verify import comparing, directory, snapshot
from neon_projector.consumer.admin.verify.expected import Folding
from neon_projector.consumer.admin.verify.reading import Reading, partitions_of
from neon_projector.consumer.admin.verify.report import Report
from neon_projector.consumer.admin.verify.snapshot import Positions
from neon_projector.consumer.admin.verify.spill import Spill
from neon_projector.consumer.admin.verify.wanted import Wanted
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.sql.verify import tables
from neon_projector.projections.sql.verify.tables import Scope, Side
from neon_projector.projections.state.packed import ENCODER, Packing

WRITE_ROWS = 20_000
"""So many expected rows go to the database in one transaction."""
_IS_THERE = text("SELECT to_regclass(:name) IS NOT NULL")


class Tell:
    """Hears of the progress; this one says nothing."""

    def at(self, what: str, done: int, total: int | None) -> None: ...
    def said(self, sentence: str) -> None: ...


Also = Callable[[AsyncConnection, Report], Awaitable[dict[str, Any]]]
"""Called in the transaction that has compared; what it returns becomes part of the operation's position."""


class Work:
    """One operation, from where it is. `position` of the operation: the directory on disk and its token, whether the
    snapshot is `copied`, and how many buckets are `folded`.

    What was read stays open for who needs it still, until `tidy_up`. Where `copied` is taken out of the position again,
    `do` takes a new snapshot, and reads on from where it has read.
    """

    def __init__(
        self, engine: AsyncEngine, settings: Settings, registry: Registry, operation: Operation, tell: Tell
    ) -> None:
        self._engine, self._settings, self._registry = engine, settings, registry
        self._operation, self._tell = operation, tell
        self._wanted = wanted = Wanted.of_filter(operation.filter)
        self.scope = Scope(frozenset(wanted.entities), frozenset(wanted.ids))
        self.side = Side(left_behind.table_of(operation.id, ""))
        self.spill: Spill | None = None

    async def do(self, also: Also | None = None) -> Report:
        position = self._operation.position
        if position.get("copied") and await self._is_there():
            positions = self.positions
            spill = self._spill(position, positions)
            if not spill.manifest.read and position["folded"]:
                self._tell.said("what was read is no longer on this machine; the topics are read again")
                await self._fold_again()
            await self._read(spill, positions)
        else:
            spill, positions = await self._begin()
        await self._fold(spill, self.packing(positions))
        return await self._compare(spill, also)

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

    async def _begin(self) -> tuple[Spill, Positions]:
        """Copy what the tables have, and read the topics meanwhile, up to the positions of that moment."""
        position, before = {**self._operation.position, "copied": False, "folded": 0}, self.positions
        if self.spill is None:
            self.tidy_up()
            position |= {"directory": directory.make(self._operation.id), "token": uuid4().hex}
        with translated():
            async with self._engine.begin() as connection:
                for statement in tables.drop(self._registry, self.side):
                    await connection.execute(text(statement))
                await self._operation.step(connection, done=0, position=position)
        known: asyncio.Future[Positions] = asyncio.get_running_loop().create_future()
        async with _together() as group:
            group.create_task(self._copy(known))
            positions = await known
            if self.spill is not None and not snapshot.goes_on(before, positions):
                self.tidy_up()
                position |= {"directory": directory.make(self._operation.id), "token": uuid4().hex}
                await self._operation.report(position=self._operation.position | position)
            spill = self._spill(position, positions)
            await self._read(spill, positions)
        return spill, positions

    async def _copy(self, known: "asyncio.Future[Positions]") -> None:
        try:
            await snapshot.take(
                self._engine, self._settings.kafka_group_id, self._registry, self.side, self.scope, known
            )
        except BaseException as error:
            if not known.done():
                known.set_exception(error)
            raise
        positions = known.result()
        ranges = {f"{p.topic}:{p.partition}": [0, end] for p, end in positions.items()}
        total = sum(positions.values())
        await self._operation.report(position=self._operation.position | {"copied": True}, ranges=ranges, total=total)

    async def _is_there(self) -> bool:
        with translated():
            async with self._engine.connect() as connection:
                found = await connection.execute(_IS_THERE, {"name": self.side.discarded})
                return bool(found.scalar_one())

    def _spill(self, position: Mapping[str, Any], positions: Positions) -> Spill:
        if self.spill is not None:
            self.spill.close()
        directory_, token = Path(position["directory"]), position["token"]
        self.spill = Spill(directory_, token, sum(positions.values()), ENCODER)
        return self.spill

    def packing(self, positions: Positions) -> Packing:
        return Packing(self._registry, [(p.topic, p.partition) for p in sorted(positions)], pgproto.UUID)

    async def _read(self, spill: Spill, positions: Positions) -> None:
        async with Live(self._engine, self._settings) as live:
            pace, packing = Pace(self._wanted.max_rate, live.behind), self.packing(positions)
            reading = Reading(self._settings, self._registry, self.scope, spill, packing, pace)
            await reading.read(positions, partial(self._tell.at, "reading the topics"), self._step)

    async def _step(self, records: int) -> None:
        await self._operation.report(done=records)

    async def _fold_again(self) -> None:
        """What was folded is of a reading that is lost."""
        with translated():
            async with self._engine.begin() as connection:
                for statement in tables.empty(self._registry, self.side, self.scope):
                    await connection.execute(text(statement))
                await self._operation.step(connection, position=self._operation.position | {"folded": 0})

    async def _fold(self, spill: Spill, packing: Packing) -> None:
        folding, first = Folding(self._registry, packing, self.side, self.scope.ids), self._operation.position["folded"]
        for bucket in range(first, spill.buckets):
            rows = folding.fold(spill, bucket)
            if rows >= WRITE_ROWS or bucket + 1 == spill.buckets:
                with translated():
                    async with self._engine.begin() as connection:
                        await folding.write(connection)
                        position = self._operation.position | {"folded": bucket + 1}
                        await self._operation.step(connection, done=spill.manifest.records, position=position)
            self._tell.at("folding", bucket + 1, spill.buckets)
            await asyncio.sleep(0)

    async def _compare(self, spill: Spill, also: Also | None) -> Report:
        manifest = spill.manifest
        self._tell.at("comparing in the database", 0, None)
        report = Report(self._operation.id, manifest.records, unprovable=list(manifest.unreadable))
        with translated():
            async with self._engine.begin() as connection:
                await comparing.compare(connection, self._registry, self.side, self.scope, report)
                position = self._operation.position | (await also(connection, report) if also else {})
                await self._operation.step(connection, done=self._operation.total, position=position)
        return report


@asynccontextmanager
async def _together() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group whose first error comes out alone."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
