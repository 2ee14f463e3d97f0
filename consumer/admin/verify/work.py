"""The steps of one verification, from wherever it is: read, fold, compare."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.admin.verify import comparing, hanging, snapshot
from neon_projector.consumer.admin.verify.expected import Folding
from neon_projector.consumer.admin.verify.partly import Partly
from neon_projector.consumer.admin.verify.report import Report
from neon_projector.consumer.admin.verify.snapshot import Positions
from neon_projector.consumer.admin.verify.source import READING, Source
from neon_projector.consumer.admin.verify.spill import Spill
from neon_projector.consumer.admin.verify.tails import READING as AFTER
from neon_projector.consumer.admin.verify.tails import Later
from neon_projector.consumer.admin.verify.together import together
from neon_projector.consumer.errors import TransientError
from neon_projector.consumer.recovery.translate import translated
from neon_projector.projections.sql.verify import tables
from neon_projector.projections.sql.verify.named import Named
from neon_projector.projections.state.packed import Packing

WRITE_ROWS = 20_000
"""So many expected rows go to the database in one transaction."""
CRASHED = "the database has crashed, and has lost the copy of its tables"


Also = Callable[[AsyncConnection, Report], Awaitable[dict[str, Any]]]
"""Called in the transaction that has compared; what it returns becomes part of the operation's position."""


class Work(Source):
    """One operation, from where it is. `position` of the operation: the directory on disk and its token, whether the
    snapshot is `copied`, and how many buckets are `folded`.

    What was read stays open for who needs it still, until `tidy_up`. Where `copied` is taken out of the position again,
    `do` takes a new snapshot, and reads on from where it has read.

    `keyed` and `form` of the position: see `Partly.begin`; both are None as soon as all partitions must be read.
    """

    _copied = 0
    """How much of what the events name was known when it was copied."""

    @property
    def _partly(self) -> Partly:
        return Partly(self._engine, self._settings, self._registry)

    async def do(self, also: Also | None = None) -> Report:
        spill = None if self._wanted.ids else await self._copied_before()
        if spill is not None:
            positions = self.positions
            if not spill.manifest.read and self._operation.position["folded"]:
                self._tell.said("what was read is no longer on this machine; the topics are read again")
                await self._fold_again()
            await self._read(spill, positions)
        else:
            if self._wanted.ids and self.spill is None:
                await self._read_ahead()
            spill, positions = await self._begin()
            while self._named > self._copied:  # what was read last names more than was copied
                spill, positions = await self._begin()
        await self._fold(spill, self.packing(positions))
        report = await self._compare(spill, also)
        if report is None:
            await self._read_all("what was found may have its cause in another partition: now all are read")
            return await self.do(also)
        return report

    @property
    def _named(self) -> int:
        return 0 if self.scope.named is None else self.scope.named.size

    async def _read_ahead(self) -> None:
        """Of some ids: read what the topics have of them, and of what hangs on them, before the snapshot. So it copies
        of all others only what these events name."""
        scope = replace(self.scope, named=Named())
        if self._wanted.hanging:
            scope = await hanging.known(self._engine, self._registry, scope)
        positions = await snapshot.positions_now(self._engine, self._settings.kafka_group_id)
        new = self._new_directory() | {"copied": False, "folded": 0}
        if self._wanted.by_key and self._operation.position.get("keyed", ()) is not None:
            new |= await self._partly.begin(scope.ids, positions, self._tell.said)
        await self._operation.report(position=self._operation.position | new, ranges=snapshot.ranges_of(positions))
        spill, what, todo = self._spill(new, positions), READING, scope.ids
        while todo:
            spill.read_again()
            found = await self._read(spill, positions, replace(scope, ids=todo), what)
            if self.keyed is not None:
                if await self._partly.lost(found - scope.ids):
                    await self._read_all("something that hung on it is not in the tables: now all partitions are read")
                    await self._read_ahead()
                    return
                break
            todo, what = found - scope.ids if self._wanted.hanging else frozenset(), "reading what hangs on it"
            scope = hanging.extended(scope, todo)
        self.scope = scope
        await self._operation.report(position=self._operation.position | {"ids": sorted(map(str, scope.ids))})

    async def _read_all(self, why: str) -> None:
        self._tell.said(why)
        self.tidy_up()
        await self._operation.report(position=self._operation.position | {"keyed": None, "form": None, "copied": False})

    async def _begin(self) -> tuple[Spill, Positions]:
        """Copy what the tables have, and read the topics meanwhile, up to the positions of that moment."""
        begun, left = self._operation.position, await self._last_left()
        position, before = {**begun, "copied": False, "folded": 0, "left": left}, self.positions
        if begun.get("left", left) != left:  # what was read is of another topic
            self.tidy_up()
        if self.spill is None:
            position |= self._new_directory()
        with translated():
            async with self._engine.begin() as connection:
                for statement in tables.drop(self._registry, self.side):
                    await connection.execute(text(statement))
                await self._operation.step(connection, done=0, position=position)
        self._copied = self._named
        known: asyncio.Future[Positions] = asyncio.get_running_loop().create_future()
        async with together() as group:
            group.create_task(self._copy(known))
            positions = await known
            self._kept = await self._kept_of(positions)
            group.create_task(self._look_behind(positions))
            if self.spill is not None and not snapshot.goes_on(before, positions):
                position |= self._new_directory()
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
        await self._operation.report(
            position=self._operation.position | {"copied": True},
            ranges=snapshot.ranges_of(positions),
            total=sum(positions.values()),
        )

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

    async def _compare(self, spill: Spill, also: Also | None) -> Report | None:
        """Twice, where something differs that is ahead of the positions: what hangs on it is right then. None where a
        part was read, and that does not explain what differs."""
        tails = self._tails or await self._look_behind(self.positions)
        report, unreadable = await self._compare_once(spill, [], again=False), list[str]()
        if report.kinds and tails.end:
            later = Later(self._engine, self._registry, self.scope, self.side, self._operation.id)
            async with self._paced() as pace:
                unreadable = await later.read(self._settings, tails, partial(self._tell.at, AFTER), pace.passed)
            if await later.note() or unreadable:
                report = await self._compare_once(spill, unreadable, again=True)
        if self.keyed is not None and report.kinds and await self._partly.unexplained(self._operation.id):
            return None
        report.without_position, report.by_key, report.partitions = tails.without, self.keyed, len(self.positions)
        with translated():
            async with self._engine.begin() as connection:
                position = self._operation.position | (await also(connection, report) if also else {})
                await self._operation.step(connection, done=self._operation.total, position=position)
        return report

    async def _compare_once(self, spill: Spill, unreadable: list[str], *, again: bool) -> Report:
        manifest = spill.manifest
        self._tell.at("comparing in the database", 0, None)
        unprovable = list(dict.fromkeys([*manifest.unreadable, *unreadable]))
        report = Report(self._operation.id, manifest.records, unprovable=unprovable)
        with translated():
            async with self._engine.begin() as connection:
                if not await snapshot.is_whole(connection, self.side):
                    raise TransientError(CRASHED)
                await comparing.compare(connection, self._registry, self.side, self.scope, report, again=again)
                await self._operation.step(connection)
        return report
