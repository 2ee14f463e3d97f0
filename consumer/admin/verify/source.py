"""What one operation reads of the topics, and where it keeps it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from asyncpg.pgproto import pgproto
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.kept import Kept, kept_of
from neon_projector.consumer.admin.left_topics import last_left
from neon_projector.consumer.admin.letters.edits import TOPIC as EDITED
from neon_projector.consumer.admin.letters.edits import edits
from neon_projector.consumer.admin.operations import left_behind
from neon_projector.consumer.admin.operations.live import Live
from neon_projector.consumer.admin.operations.operation import Operation
from neon_projector.consumer.admin.operations.pace import Pace
from neon_projector.consumer.admin.verify import directory, snapshot
from neon_projector.consumer.admin.verify.reading import Reading, partitions_of
from neon_projector.consumer.admin.verify.snapshot import Positions
from neon_projector.consumer.admin.verify.spill import InUse, Spill
from neon_projector.consumer.admin.verify.tails import Tails
from neon_projector.consumer.admin.verify.wanted import Wanted
from neon_projector.consumer.admin.watermarks import bounds_of
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.sql.verify import tables
from neon_projector.projections.sql.verify.tables import Scope, Side
from neon_projector.projections.state.packed import ENCODER, Packing, columns_of

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
        self._operation, self._tell, self._shape = operation, tell, _shape(registry)
        with operation.understood():
            self._wanted = wanted = Wanted.of_filter(operation.filter)
            ids = operation.position.get("ids", wanted.ids)
            entities = frozenset(registry[one].entity for one in wanted.entities)
            self.scope = Scope(entities, frozenset(map(UUID, map(str, ids))))
        self.side = Side(left_behind.table_of(operation.id, ""))
        self.spill: Spill | None = None
        self._kept: Kept | None = None
        """What Kafka can't give up to the positions, as it was found first."""
        self._tails: Tails | None = None
        """What the topics had at or behind the positions of the snapshot; None where an earlier runner took that."""

    def reopen(self) -> Spill | None:
        """What an earlier runner has read; None where that is no longer on this machine (or must not be used, see
        `directory.is_usable`), is still written by a runner that is stopped, or is of another version of the
        program."""
        if self._is_of_this_version and directory.is_usable(self._operation.position["directory"]):
            with suppress(InUse):
                if (spill := self._spill(self._operation.position, self.positions)).manifest.read:
                    return spill
        self.close()
        return None

    async def _copied_before(self) -> Spill | None:
        """What an earlier runner has read, maybe nothing, where its copy of the tables is still there. None where all
        must begin again, as in `reopen`, or because a topic was left since for another one of its name."""
        position = self._operation.position
        if position.get("copied") and self._is_of_this_version and await snapshot.is_there(self._engine, self.side):
            if position.get("left", 0) != await self._last_left():
                return None
            if self.spill is None and not directory.is_usable(position["directory"]):
                position = position | self._new_directory()
                await self._operation.report(position=position)
            with suppress(InUse):
                return self._spill(position, self.positions)
        return None

    @property
    def _is_of_this_version(self) -> bool:
        """Whether what was read and copied has the columns and types that this version knows."""
        return bool(self._operation.position.get("shape") == self._shape)

    def close(self) -> None:
        """Who resumes it may read and write there."""
        if self.spill is not None:
            self.spill.close()
            self.spill = None

    def tidy_up(self) -> None:
        """Nothing of it is needed any more on this machine."""
        self.close()
        directory.remove(self._operation.id, self._operation.position.get("directory"))

    @property
    def positions(self) -> Positions:
        """Those of the snapshot."""
        return partitions_of({name: end for name, (_, end) in self._operation.ranges.items()})

    def _new_directory(self) -> dict[str, Any]:
        self.tidy_up()
        return {"directory": directory.make(self._operation.id), "token": uuid4().hex, "shape": self._shape}

    def _spill(self, position: Mapping[str, Any], positions: Positions) -> Spill:
        self.close()
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
            self._kept = self._kept or await self._kept_of(positions)
            reading.edited(await edits(self._engine), self._kept)
            await reading.read(self._to_read(positions), self._kept, partial(self._tell.at, what), self._step)
        return frozenset(reading.hanging)

    async def _kept_of(self, positions: Positions) -> Kept:
        return await kept_of(self._engine, self._settings, positions)

    async def _last_left(self) -> int:
        return await last_left(self._engine, self._settings.kafka_group_id)

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


def _shape(registry: Registry) -> str:
    """Differs where another version packs events, or copies rows, in another way."""
    known = [(p.entity, columns_of(p)) for p in registry], list(registry.event_types)
    return sha256(repr(known).encode()).hexdigest()[:16]
