"""Two writers on two connections, stepped through their statements one by one."""

import asyncio
from typing import Any

from aiokafka import TopicPartition
from asyncpg.pgproto import pgproto
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import await_only

from neon_projector.consumer.apply.fuse import Fuse
from neon_projector.consumer.apply.maintenance import Maintenance
from neon_projector.consumer.apply.retry import Retry
from neon_projector.consumer.apply.transaction import Transaction
from neon_projector.consumer.batch import Batch, Fetched
from neon_projector.consumer.errors import Conflict, TransientError
from neon_projector.consumer.offsets import store as positions
from neon_projector.consumer.offsets.claim import Claim, OffsetRange
from neon_projector.consumer.recovery.retrying import Retrying
from neon_projector.consumer.recovery.translate import translated
from neon_projector.models.engine import create_service_engine
from neon_projector.models.settings import DatabaseSettings
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.registry import REGISTRY
from tests.support.factories import ARecord, a_record

GROUP = "racing"
BLOCKED_SECONDS = 0.03
"""A writer that has not come to its next statement by then waits for a lock."""


class Steps:
    """Lets one writer pass a given number of statements, then holds it, until it is let go."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._left = asyncio.Semaphore(0)
        self._held = asyncio.Event()
        self._free = False
        event.listen(engine.sync_engine, "before_cursor_execute", self._before)
        event.listen(engine.sync_engine.pool, "connect", self._connected)

    def _connected(self, connection: Any, _entry: object) -> None:
        """Hold it also when it has the lock, and before it moves its positions and commits."""
        driver = connection.driver_connection
        execute = driver.execute

        async def stepped(statements: str, *arguments: Any, **options: Any) -> Any:
            if not self._free and statements.endswith("COMMIT"):
                await self._turn()
            done = await execute(statements, *arguments, **options)
            if not self._free and statements.startswith("BEGIN"):
                await self._turn()
            return done

        driver.execute = stepped

    def _before(self, *_: Any) -> None:
        if not self._free:
            await_only(self._turn())

    async def _turn(self) -> None:
        self._held.set()
        await self._left.acquire()
        self._held.clear()

    async def take(self, number: int, work: asyncio.Task[Any]) -> None:
        """Let it do `number` statements; returns early where it waits for a lock, or is done."""
        for _ in range(number):
            if work.done():
                return
            held = asyncio.ensure_future(self._held.wait())
            await asyncio.wait((held, work), timeout=BLOCKED_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not held.done():
                held.cancel()
                return
            self._left.release()
            await asyncio.sleep(0)
            self._held.clear()

    def hold(self) -> None:
        """From now on each statement waits for its turn."""
        self._free, self._left = False, asyncio.Semaphore(0)
        self._held.clear()

    def go(self) -> None:
        """Hold it no longer."""
        self._free = True
        self._left.release()


class Listening:
    """Counts how often it hears that the database has answered a batch otherwise than by taking it."""

    def __init__(self) -> None:
        self.answers = 0

    def answered(self) -> None:
        self.answers += 1

    def troubled(self, trouble: TransientError, *, again: bool) -> None: ...
    def lasts(self, batch: Batch, conflict: Conflict) -> None: ...
    def written(self, batch: Batch) -> None: ...


class Writer:
    """One instance's way of writing: its own pool, its own partition. Small batches are tried as new ones, too."""

    def __init__(self, database: str, partition: int, registry: Registry = REGISTRY, new_from: int = 1) -> None:
        self.engine = create_service_engine(DatabaseSettings.model_validate({"neon_database_url": database}))
        self._partition = TopicPartition("races", partition)
        transaction = Transaction(self.engine, registry, GROUP, Fuse(1000, 0.9), Maintenance(604_800))
        self.heard = Listening()
        self._retry = Retry(transaction, self.heard, new_from)
        self._decode = Decoder(registry, new_id=pgproto.UUID)  # as the service does

    async def batch(self, events: list[dict[str, Any]]) -> Batch:
        """A batch of these events, under a claim of its own."""
        return self.decoded(await self.fetched(events))

    async def fetched(self, events: list[dict[str, Any]]) -> Fetched:
        """These events as records, under a claim of their own."""
        claim = await Retrying(Listening(), translated).until_answered(self._claim)
        records = [self._record(event_, claim.next_offset + n) for n, event_ in enumerate(events)]
        span = OffsetRange(claim.next_offset, claim.next_offset + len(records), claim.epoch)
        return Fetched(self._partition, span, records)

    async def _claim(self) -> Claim:
        async with self.engine.begin() as connection:
            return (await positions.claim(connection, GROUP, {self._partition: 0}))[self._partition]

    def decoded(self, fetched: Fetched) -> Batch:
        """The batch that these records make."""
        batch = Batch()
        batch.add(fetched, [self._decode(record) for record in fetched.records])
        return batch

    async def write(self, batch: Batch) -> None:
        async for _ in self._retry.apply(batch):
            pass

    def _record(self, event_: dict[str, Any], offset: int) -> ARecord:
        return a_record(event_, topic="races", partition=self._partition.partition, offset=offset)
