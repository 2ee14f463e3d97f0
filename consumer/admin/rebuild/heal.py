"""Heals some entities in one transaction: what is there of them goes aside, and their events are written again. That is
done alone; of what is not there at all the events are written beside others, as they were the first time.

Each is looked at under the lock, and left as it is if it has moved since the snapshot. Rows stay in their place, at
version 0, until the service's own writers have written them again: readers and foreign keys see no gap.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.admin.operations.operation import Operation
from neon_projector.consumer.admin.rebuild.sick import Sick
from neon_projector.consumer.admin.rebuild.todo import HEALED, LOST, MOVED, REFUSED, Todo
from neon_projector.consumer.admin.rebuild.undo_file import UndoFile, line_of
from neon_projector.consumer.admin.retry_conflicts import retry_conflicts
from neon_projector.consumer.admin.verify.together import together
from neon_projector.consumer.apply import dead_letters
from neon_projector.consumer.apply.entities.writers import Writers
from neon_projector.consumer.apply.mode import Mode
from neon_projector.consumer.apply.transaction import by_hand
from neon_projector.consumer.apply.unit import Unit
from neon_projector.consumer.errors import BadData, Locked, Moved, NeedsMode, NotTaken, TooLarge
from neon_projector.consumer.recovery.translate import translated
from neon_projector.projections.contract.event import Rejection
from neon_projector.projections.contract.outcome import Reason
from neon_projector.projections.contract.projection import Projection, Registry
from neon_projector.projections.sql.rebuild import rebuild_statements

Found = Mapping[UUID, RowMapping]


class Healing:
    """One round of one operation."""

    def __init__(
        self, engine: AsyncEngine, registry: Registry, operation: Operation, todo: Todo, number: int, undo: UndoFile
    ) -> None:
        self._engine, self._registry, self._operation = engine, registry, operation
        self._todo, self._number, self._undo = todo, number, undo
        self._writers = Writers(registry)
        self._sql = {p.entity: rebuild_statements(p) for p in registry}
        self.held = 0.0
        """Seconds that others may have waited, in all."""

    async def heal(self, projection: Projection, some: Sequence[Sick]) -> None:
        """One transaction for all of them; in halves where the database refuses one, or it is too much."""
        lost = [one.id for one in some if one.events is None]
        if lost:
            await self._note(projection, lost, LOST)
        known = [one for one in some if one.events is not None]
        for mode, own in (
            (Mode.SHARED_LOOKING, [one for one in known if one.is_new]),
            (Mode.EXCLUSIVE_RESOLVE, [one for one in known if not one.is_new]),
        ):
            if own:
                await self._heal(projection, own, mode)

    async def _heal(self, projection: Projection, some: Sequence[Sick], mode: Mode) -> None:
        try:
            await self._transact(projection, some, mode)
        except NeedsMode:
            await self._heal(projection, some, Mode.EXCLUSIVE_RESOLVE)
        except (BadData, Locked, Moved, TooLarge):
            if len(some) > 1:
                await self._heal(projection, some[: len(some) // 2], mode)
                await self._heal(projection, some[len(some) // 2 :], mode)
                return
            try:
                await self._transact(projection, some, Mode.EXCLUSIVE_APART)
            except Locked:
                await self._note(projection, [some[0].id], MOVED)  # the next round looks again
            except (BadData, Moved):
                await self._note(projection, [some[0].id], REFUSED)

    async def _transact(self, projection: Projection, some: Sequence[Sick], mode: Mode) -> None:
        await retry_conflicts(lambda: self._transact_once(projection, some, mode), patience=0)

    async def _transact_once(self, projection: Projection, some: Sequence[Sick], mode: Mode) -> None:
        began = time.monotonic()
        try:
            async with by_hand(self._engine, self._writers, mode) as unit:
                await self._work(unit, projection, some)
                await unit.connection.commit()
        finally:
            self.held += 0.0 if mode.shared else time.monotonic() - began

    async def _work(self, unit: Unit, projection: Projection, some: Sequence[Sick]) -> None:
        connection, sql = unit.connection, self._sql[projection.entity]
        looked = await connection.execute(sql.look, {"id": [one.id for one in some]})
        found = {row["id"]: row for row in looked.mappings()}
        mine = [one for one in some if found[one.id]["seen"] == one.seen]
        ids = await (self._add if unit.mode.shared else self._replace)(unit, projection, mine, found) if mine else []
        moved = [one.id for one in some if one.id not in set(ids)]
        lines = list[bytes]()
        if ids:
            after = {row.id: row.seen for row in await connection.execute(sql.seen, {"id": ids})}
            mark = self._operation.mark
            lines = [line_of(projection.entity, one, _before(found[one]), after[one], mark) for one in ids]
        async with together() as group:  # the disk and the database at the same time
            group.create_task(asyncio.to_thread(self._undo.write, lines))
            await self._todo.done(connection, self._number, projection.entity, ids, HEALED)
            await self._todo.done(connection, self._number, projection.entity, moved, MOVED)
            await self._operation.step(connection, position=self._position(is_made=bool(lines)))

    async def _add(self, unit: Unit, projection: Projection, mine: Sequence[Sick], _found: Found) -> list[UUID]:
        """Beside others: write what is not there. Returns the ids of those that nobody else has brought meanwhile."""
        written = await self._writers.write(unit, projection.entity, {one.id: one.events or [] for one in mine})
        await dead_letters.insert(unit.connection, written.released_rejections, self._registry.secrets)
        applied = {event.id for event in written.applied}
        return [one.id for one in mine if one.id in applied]

    async def _replace(self, unit: Unit, projection: Projection, mine: Sequence[Sick], found: Found) -> list[UUID]:
        """Alone: take what is there away, and write the events again."""
        ids = [one.id for one in mine]
        kept = [(one.id, version) for one in mine for version in one.keeps]
        values = {"kept_id": [one for one, _ in kept], "kept_version": [version for _, version in kept]}
        put_down = await unit.connection.execute(self._sql[projection.entity].put_down, {"id": ids, **values})
        if put_down.rowcount < sum(found[one]["row"] is not None for one in ids):
            raise NotTaken(projection.table_name)  # a trigger has kept a row as it was, or somebody has just deleted it
        late = await self._write(unit, projection, mine, found)
        await self._settle(unit, projection, [one for one in mine if one.has_state], found)
        await self._keep_since(unit.connection, projection, ids, found)
        await dead_letters.insert(unit.connection, late, self._registry.secrets)
        return ids

    async def _write(self, unit: Unit, projection: Projection, mine: Sequence[Sick], found: Found) -> list[Rejection]:
        """Write their events; returns what had waited for them and is rejected now."""
        entity = projection.entity
        without = [one.id for one in mine if not one.has_state]
        late: list[Rejection] = []
        if without:
            shown = [one for one in without if found[one]["row"] is not None]
            late += (await self._writers.withdraw(unit, entity, without, shown)).released_rejections
        if events := {one.id: one.events for one in mine if one.events}:
            written = await self._writers.write(unit, entity, events)
            refused = [one for one in written.rejected if one.reason is Reason.REFUSED_BY_DATABASE]
            if refused:
                raise BadData(refused[0].error)
            late += written.released_rejections
        return late

    async def _settle(self, unit: Unit, projection: Projection, mine: Sequence[Sick], found: Found) -> None:
        """A row whose newest state is contested is not written; nobody knows what it showed last. It stays as it was
        found, unless there was no earlier version that it could have shown."""
        there = {one.id: found[one.id]["row_version"] for one in mine if found[one.id]["row_version"] is not None}
        if not there or not projection.unique:
            return
        values = {"id": list(there), "version": list(there.values())}
        settled = await unit.connection.execute(self._sql[projection.entity].settle, values)
        if never := [row.id for row in settled if row.version == 0]:
            await self._writers.withdraw(unit, projection.entity, never, never)

    async def _keep_since(
        self, connection: AsyncConnection, projection: Projection, ids: Sequence[UUID], found: Found
    ) -> None:
        sql = self._sql[projection.entity]
        states = [found[one]["state"] for one in ids if found[one]["state"] is not None]
        if states:
            await connection.execute(sql.keep_since, {"before": f"[{','.join(states)}]"})
        for events in (found[one]["events"] for one in ids if found[one]["events"] is not None):
            await connection.execute(sql.keep_parked_since, {"before": events})

    async def _note(self, projection: Projection, ids: Sequence[UUID], outcome: str) -> None:
        """What can't be healed."""
        with translated():
            async with self._engine.begin() as connection:
                await self._todo.done(connection, self._number, projection.entity, ids, outcome)
                await self._operation.step(connection)

    def _position(self, *, is_made: bool) -> dict[str, Any]:
        """`undo` stands there as soon as the file has lines."""
        undo = {"undo": str(self._undo.path)} if is_made else {}
        return self._operation.position | {"waited": round(self.held, 3)} | undo


def _before(found: RowMapping) -> dict[str, Any]:
    return {name: found[name] for name in ("row", "state", "events")}
