"""`rebuild` from its beginning to its end: verify, heal what differs, and verify what was healed, in rounds.

It is long work (`consumer.admin.operations`). A round verifies (`verify/work.py`), keeps what is to be healed in a
table (`todo.py`), and heals it in portions, each in one transaction (`round.py`, `heal.py`). The next round looks only
at what was healed, or had moved meanwhile, up to the positions of that moment: so what the service read in between of a
row that was wrong is not lost. The last round finds nothing to heal.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.admin.operations.live import Live
from neon_projector.consumer.admin.operations.operation import Operation
from neon_projector.consumer.admin.operations.pace import Pace
from neon_projector.consumer.admin.operations.rights import require_same_group
from neon_projector.consumer.admin.operations.running import running
from neon_projector.consumer.admin.rebuild.asked import Asked
from neon_projector.consumer.admin.rebuild.heal import Healing
from neon_projector.consumer.admin.rebuild.result import Result
from neon_projector.consumer.admin.rebuild.round import Round
from neon_projector.consumer.admin.rebuild.todo import HEALED, LEFT, LOST, MOVED, REFUSED, Group, Todo, entities, groups
from neon_projector.consumer.admin.rebuild.undo_file import UndoFile
from neon_projector.consumer.admin.verify.report import Report
from neon_projector.consumer.admin.verify.source import Tell
from neon_projector.consumer.admin.verify.verify import tidy_up_after_others
from neon_projector.consumer.admin.verify.wanted import TOO_MANY
from neon_projector.consumer.admin.verify.work import Work
from neon_projector.consumer.errors import Cancelled
from neon_projector.consumer.offsets.service_settings import as_the_service
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.projection import Registry

COMMAND = "rebuild"
MOST_ROUNDS = 5


async def rebuild(
    engine: AsyncEngine, settings: Settings, registry: Registry, asked: Asked | None, tell: Tell,
    resume: int | None = None, *, ask_first: bool = False,
) -> Result:  # fmt: skip
    """Heal. With `ask_first` it pauses as soon as it knows what is to be healed, if that is anything; `resume` goes on,
    Refused where that is of another group. TransientError where a server does not answer."""
    settings = await as_the_service(engine, settings)
    if resume is not None:
        await require_same_group(engine, settings.kafka_group_id, resume)
    frozen = None if asked is None else {**asked.as_filter(), "group_id": settings.kafka_group_id}
    async with running(engine, COMMAND, filter=frozen, resume=resume) as operation:
        own = Rebuild(engine, settings, registry, operation, tell)
        try:
            result = await own.run(ask_first=ask_first)
        except Cancelled:
            own.tidy_up()
            raise
        finally:
            own.close()
        if result.finished:
            own.tidy_up()
            operation.result, operation.outcome = result.as_json(), result.verdict
        else:
            operation.ends = "paused"
    await tidy_up_after_others(engine)
    return result


class Rebuild:
    """One run of one operation. Its position has, beside that of `Work`: the `round`, whether it is `healing` (else it
    compares), what was found in the first round, and how long others have `waited`."""

    def __init__(
        self, engine: AsyncEngine, settings: Settings, registry: Registry, operation: Operation, tell: Tell
    ) -> None:
        self._engine, self._settings, self._registry = engine, settings, registry
        self._operation, self._tell = operation, tell
        self._work = Work(engine, settings, registry, operation, tell)
        with operation.understood():
            self._asked = Asked.of_filter(operation.filter)
        self._todo = Todo(operation.id, registry, self._work.side)
        self._undo = UndoFile(Path(operation.position.get("file") or self._asked.undo_of(operation.id)))

    def tidy_up(self) -> None:
        self._work.tidy_up()

    def close(self) -> None:
        self._work.close()

    async def run(self, *, ask_first: bool) -> Result:
        """Round after round, from where it is."""
        await self._ensure_todo()
        try:
            while True:
                if not self._position.get("healing"):
                    await self._compare()
                if not self._position["pending"] or self._round > MOST_ROUNDS:
                    return await self._result(finished=True)
                if ask_first:
                    return await self._result(finished=False)
                await self._heal()
                await self._operation.report(
                    position=self._position | {"round": self._round + 1, "healing": False, "copied": False}
                )
        finally:
            self._undo.close()

    @property
    def _position(self) -> dict[str, Any]:
        return self._operation.position

    @property
    def _round(self) -> int:
        return int(self._position["round"])

    async def _ensure_todo(self) -> None:
        """Where its tables are gone, or what was read, it begins again: what is healed is found to be right."""
        with translated():
            async with self._engine.begin() as connection:
                there = await self._todo.is_there(connection)
                if there and (not self._position.get("healing") or self._work.reopen() is not None):
                    return
                first: dict[str, Any] = {"round": 1, "healing": False, "copied": False, "file": str(self._undo.path)}
                if there:  # what was healed is not found again
                    done = await self._todo.outcomes(connection) + Counter(self._position.get("before", {}))
                    first["before"] = {HEALED: done[HEALED], MOVED: done[MOVED]}
                await self._todo.begin(connection)
                await self._operation.step(connection, position=self._position | first)

    async def _compare(self) -> None:
        """Verify: in the first round what was asked for, then what may not be right yet."""
        if self._round > 1:
            with translated():
                async with self._engine.connect() as connection:
                    ids = await self._todo.again(connection, self._round - 1, TOO_MANY + 1)
            if not ids:  # as a scope that would mean all
                await self._operation.report(position=self._position | {"pending": 0})
                return
            if len(ids) <= TOO_MANY:
                self._work.scope = replace(self._work.scope, ids=frozenset(ids))
        await self._work.do(self._found)

    async def _found(self, connection: AsyncConnection, report: Report) -> dict[str, Any]:
        """Within the transaction that has compared: keep what is to be healed."""
        pending = await self._todo.fill(connection, self._round, self._asked.choice)
        found: dict[str, Any] = {"healing": True, "pending": pending, "unprovable": report.unprovable}
        now = await entities(connection, self._operation.id, self._asked.choice)
        if "differing" not in self._position:
            found["groups"] = [list(group) for group in await groups(connection, self._operation.id)]
            found |= now._asdict() | {"without_position": report.without_position}
        found["ahead"] = max(now.ahead, self._position.get("ahead", 0))
        return found

    async def _heal(self) -> None:
        spill, packing = self._work.spill, self._work.packing(self._work.positions)
        assert spill is not None
        own = Round(
            self._engine, self._settings, self._registry, self._todo, self._round, spill, packing, self._tell.at
        )
        healing = Healing(self._engine, self._registry, self._operation, self._todo, self._round, self._undo)
        healing.held = self._position.get("waited", 0.0)
        async with Live(self._engine, self._settings) as live:
            pace = Pace(self._asked.wanted.max_rate, live.behind)
            originals = await own.originals(Path(self._position["directory"]), pace)
            try:
                await own.heal(healing, originals, pace, self._position["pending"])
            finally:
                originals.close()
        await self._operation.report(position=self._position | {"waited": round(healing.held, 3)})

    async def _result(self, *, finished: bool) -> Result:
        position = self._position
        with translated():
            async with self._engine.connect() as connection:
                outcomes = await self._todo.outcomes(connection) + Counter(position.get("before", {}))
        left = position["differing"] - position["chosen"] + position["pending"] + sum(outcomes[one] for one in LEFT)
        return Result(
            self._operation.id,
            [Group(*group) for group in position["groups"]],
            position["differing"],
            position["chosen"],
            outcomes[HEALED],
            outcomes[MOVED],
            outcomes[REFUSED],
            outcomes[LOST],
            left,
            self._round,
            position.get("waited", 0.0),
            position.get("undo"),
            position["unprovable"],
            position["unproved"],
            position.get("ahead", 0),
            position.get("without_position", []),
            self._work.keyed,
            len(self._work.positions),
            finished,
        )
