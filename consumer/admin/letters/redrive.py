"""Many dead letters tried again: in portions, resumable, and none that came after the beginning."""

from collections.abc import Callable, Sequence
from sys import maxsize

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.admin.letters.attempt import Attempt, Settle, write_down
from neon_projector.consumer.admin.letters.plan import Plan
from neon_projector.consumer.admin.letters.reading import Reading
from neon_projector.consumer.admin.letters.tally import Tally, Tried, position_of, tally_of
from neon_projector.consumer.admin.lookup import Records
from neon_projector.consumer.admin.operations.live import Live
from neon_projector.consumer.admin.operations.operation import Operation
from neon_projector.consumer.admin.operations.pace import Pace
from neon_projector.consumer.admin.operations.running import running
from neon_projector.consumer.decoder import decoder_of
from neon_projector.consumer.offsets.service_settings import as_the_service
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.projection import Registry

COMMAND = "dead-letters retry"

Progress = Callable[[int], None]
"""Called with the number of letters that are done."""


class Redrive:
    """Tries what a plan means. TransientError where a server does not answer: what is committed stays."""

    def __init__(self, engine: AsyncEngine, settings: Settings, registry: Registry, progress: Progress) -> None:
        self._engine, self._settings, self._registry = engine, settings, registry
        self._attempt = Attempt(engine, registry)
        self._progress = progress
        self._lost: list[Tried] = []
        """Of the page in hand, those that are not counted yet."""

    async def rehearse(self, plan: Plan, *, details: bool) -> Tally:
        """A dry run: every transaction is rolled back."""
        tally = Tally(details=[] if details else None)

        async def undo(_connection: AsyncConnection, _done: Sequence[Tried]) -> bool:
            return False

        await self._run(plan, tally, undo)
        return tally

    async def run(self, plan: Plan, *, details: bool) -> tuple[int, Tally]:
        """Do it, as a new operation: its id, and what became of the letters."""
        async with running(self._engine, COMMAND, filter=plan.kept, total=plan.total) as operation:
            return operation.id, await self._go_on(operation, plan, Tally(details=[] if details else None))

    async def resume(self, operation_id: int) -> Tally:
        """Go on with an operation: what became of all its letters, also those tried before."""
        async with running(self._engine, COMMAND, resume=operation_id) as operation:
            with operation.understood():
                plan, tally = Plan.of(operation.filter, operation.total or 0), tally_of(operation.position)
            return await self._go_on(operation, plan, tally)

    async def _go_on(self, operation: Operation, plan: Plan, tally: Tally) -> Tally:
        async def settle(connection: AsyncConnection, done: Sequence[Tried]) -> bool:
            """Letters and progress change together."""
            await write_down(connection, done)
            all_done = self._with_lost(done)
            position = position_of(*tally.counted(all_done))
            await operation.step(connection, done=tally.number() + len(all_done), position=position)
            return True

        await self._run(plan, tally, settle)
        await operation.report(done=tally.number(), position=position_of(tally.groups, tally.last))
        operation.result = {"groups": [one._asdict() for one in tally.groups]}
        return tally

    async def _run(self, plan: Plan, tally: Tally, settle: Settle) -> None:
        settings = await as_the_service(self._engine, self._settings)
        decode = decoder_of(settings, self._registry)
        async with Records(settings) as records, Live(self._engine, settings) as live:
            pace = Pace(plan.max_rate, live.behind)
            reading = Reading(self._engine, records, decode, plan, self._settings.batch_max_bytes)
            left = maxsize if plan.limit is None else plan.limit - tally.number()
            async for page in reading.pages(tally.last, left):
                self._lost = page.lost
                if page.candidates:
                    async for done in self._attempt.each(page.candidates, settle):
                        self._count(tally, self._with_lost(done))
                self._count(tally, self._lost)
                await pace.passed(len(page.candidates) + len(page.lost))

    def _with_lost(self, done: Sequence[Tried]) -> list[Tried]:
        """With the lost letters of this page before the last of these: the position goes past them with it, and not
        before."""
        return sorted([*done, *(one for one in self._lost if one.id < done[-1].id)])

    def _count(self, tally: Tally, done: Sequence[Tried]) -> None:
        self._lost = [one for one in self._lost if one not in done]
        tally.add(done)
        if tally.details is not None:
            tally.details += done
        self._progress(tally.number())
