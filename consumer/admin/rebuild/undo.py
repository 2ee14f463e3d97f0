"""Puts back what was there before a rebuild, the newest first, where nothing has moved since."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.admin.operations.operation import MARK, OPERATIONS, Operation
from neon_projector.consumer.admin.operations.running import running
from neon_projector.consumer.admin.rebuild.undo_file import FORGOTTEN, UndoLines
from neon_projector.consumer.admin.retry_conflicts import retry_conflicts
from neon_projector.consumer.apply.entities.writers import Writers
from neon_projector.consumer.apply.mode import Mode
from neon_projector.consumer.apply.refusals import Refusals
from neon_projector.consumer.apply.savepoints import Savepoints
from neon_projector.consumer.apply.transaction import by_hand
from neon_projector.consumer.apply.unit import Unit
from neon_projector.consumer.errors import BadData, Refused
from neon_projector.consumer.recovery.translate import translated
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.sql.rebuild import rebuild_statements

COMMAND = "undo"
PORTION = 50
"""Lines of one transaction, at most."""
GONE_FOR_CHILDREN = ("deleted", "erased", "parent_deleted")
"""Where it is kept aside for one of these reasons, its children are hidden; else they wait."""
BACK, ALREADY, MOVED, REFUSED, ERASED = "put_back", "already", "moved", "refused", "forgotten"
"""What becomes of a line: `already`: all is as it was before, so what it tells of was never committed, or is undone."""

Line = dict[str, Any]

_OF_OTHERS = text(f"""
    SELECT m.mark FROM unnest(CAST(:marks AS text[])) AS m(mark)
    WHERE NOT EXISTS (SELECT FROM {OPERATIONS} WHERE command = 'rebuild' AND {MARK} = m.mark)""")


async def undo(
    engine: AsyncEngine, registry: Registry, path: Path, tell: Callable[[int, int], None], *, execute: bool
) -> tuple[int | None, Counter[str]]:
    """The operation's id, and how many lines became what. Without `execute` nothing is changed, and only what a single
    look shows is told. `path` is absolute. Refused where it is no undo file."""
    with UndoLines(path, {projection.entity for projection in registry}) as lines:
        await _ensure_of_here(engine, lines)
        if not execute:
            return None, await Undo(engine, registry, lines, tell).look()
        frozen = {"file": str(path)}
        async with running(engine, COMMAND, filter=frozen, total=len(lines)) as operation:
            return operation.id, await Undo(engine, registry, lines, tell).run(operation)


async def resume(
    engine: AsyncEngine, registry: Registry, number: int, tell: Callable[[int, int], None]
) -> Counter[str]:
    """Go on with one. Refused where its file is not on this machine."""
    async with running(engine, COMMAND, resume=number) as operation:
        with operation.understood():
            path, left = Path(operation.filter["file"]), int(operation.position.get("left", 0))
        with UndoLines(path, {projection.entity for projection in registry}) as lines:
            lines.ensure(left)
            await _ensure_of_here(engine, lines)
            return await Undo(engine, registry, lines, tell).run(operation)


async def _ensure_of_here(engine: AsyncEngine, lines: UndoLines) -> None:
    """Refused where a rebuild of another database has written it: what that has deleted would be put into this one."""
    with translated():
        async with engine.connect() as connection:
            of_others = (await connection.execute(_OF_OTHERS, {"marks": sorted(lines.marks)})).first()
    if of_others:
        raise Refused(f"{lines.path} is of a rebuild that was not run in the database of NEON_DATABASE_URL")


class Undo:
    """One run over one file."""

    def __init__(
        self, engine: AsyncEngine, registry: Registry, lines: UndoLines, tell: Callable[[int, int], None]
    ) -> None:
        self._engine, self._registry, self._lines, self._tell = engine, registry, lines, tell
        self._writers, self._savepoints = Writers(registry), Savepoints(Refusals(registry))
        self._sql = {p.entity: rebuild_statements(p) for p in registry}

    async def look(self) -> Counter[str]:
        counts, seen = Counter[str](), set[tuple[str, str]]()
        for portion in self._portions(len(self._lines)):
            with translated():
                async with self._engine.connect() as connection:
                    found = await self._found(connection, portion)
            for line in portion:
                key = line["entity"], str(line["id"])
                counts[BACK if key in seen else _may(line, found[key])] += 1  # of several, the last was looked at
                seen.add(key)
        return counts

    async def run(self, operation: Operation) -> Counter[str]:
        """From the last step; its position says how many lines are left, and what became of the others."""
        left = operation.position.get("left", len(self._lines))
        counts = Counter[str](operation.position.get("counts", {}))
        for portion in self._portions(left):
            left -= len(portion)
            counts = await retry_conflicts(partial(self._transact, operation, portion, left, counts))
            self._tell(operation.done, len(self._lines))
        operation.result = dict(counts)
        return counts

    def _portions(self, left: int) -> Iterator[list[Line]]:
        """The first `left` lines, from the last of them on; in each, lines of one entity type and of different ids."""
        portion, ids = list[Line](), set[Any]()
        for number in reversed(range(left)):
            line = self._lines[number]
            if portion and (len(portion) >= PORTION or line["id"] in ids or line["entity"] != portion[0]["entity"]):
                yield portion
                portion, ids = [], set()
            portion.append(line)
            ids.add(line["id"])
        if portion:
            yield portion

    async def _transact(
        self, operation: Operation, portion: Sequence[Line], left: int, before: Counter[str]
    ) -> Counter[str]:
        counts = Counter(before)
        async with by_hand(self._engine, self._writers, Mode.EXCLUSIVE_RESOLVE) as unit:
            found = await self._found(unit.connection, portion)
            for line in portion:
                may = _may(line, now := found[line["entity"], str(line["id"])])
                counts[await self._put_back(unit, line, now) if may == BACK else may] += 1
            position = {"left": left, "counts": dict(counts)}
            await operation.step(unit.connection, by=len(portion), position=position)
            await unit.connection.commit()
        return counts

    async def _found(self, connection: AsyncConnection, portion: Sequence[Line]) -> dict[tuple[str, str], RowMapping]:
        entity = portion[0]["entity"]
        values = {"id": [line["id"] for line in portion]}
        return {
            (entity, str(row["id"])): row
            for row in (await connection.execute(self._sql[entity].look, values)).mappings()
        }

    async def _put_back(self, unit: Unit, line: Line, now: RowMapping) -> str:
        entity, entity_id, connection = line["entity"], line["id"], unit.connection
        sql, before = self._sql[entity], line["before"]
        try:
            async with self._savepoints.tried(connection, self._registry[entity].table_name):
                await connection.execute(sql.put_down, {"id": [entity_id], "kept_id": [], "kept_version": []})
                if before["row"] is None and now["row"] is not None:
                    gone = before["state"] is not None and before["state"]["reason"] in GONE_FOR_CHILDREN
                    reason = "parent_deleted" if gone else "no_parent"
                    await self._writers.withdraw(unit, entity, [entity_id], [entity_id], reason)
                elif before["row"] is not None:
                    row, put = {"row": _json(before["row"])}, sql.put_back_row
                    if now["row"] is None:
                        put = sql.insert_row((await connection.execute(sql.own_columns, row)).scalars())
                    await connection.execute(put, row)
                    await self._writers.appeared(unit, entity, [entity_id])
                for name, statement in (("state", sql.put_back_state), ("events", sql.put_back_events)):
                    if before[name] is not None:
                        await connection.execute(statement, {name: _json(before[name])})
        except BadData:
            return REFUSED
        return BACK


def _may(line: Line, now: RowMapping) -> str:
    before = line["before"]
    if before == FORGOTTEN:
        return ERASED
    if now["seen"] == line["after"]:
        return BACK
    is_now = {name: None if now[name] is None else orjson.loads(now[name]) for name in ("row", "state", "events")}
    return ALREADY if is_now == before else MOVED


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
