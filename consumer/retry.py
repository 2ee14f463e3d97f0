"""Waits out what passes, splits off what is bad, settles what is unknown: a batch comes back applied, or Fenced."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from consumer.batch import Batch
from consumer.errors import BadData, Conflict, Halt, Trouble
from consumer.recovery import Backoff
from consumer.transaction import CommitUnknown, Receipt, Transaction, refused

if TYPE_CHECKING:
    from consumer.observer import Observer

log = logging.getLogger(__name__)

T = TypeVar("T")


class Retry:
    """The one place that decides what follows an error of the database."""

    def __init__(self, transaction: Transaction, observer: "Observer") -> None:
        self._transaction = transaction
        self._observer = observer
        self._given_up = asyncio.Event()

    def give_up(self) -> None:
        """Wait no longer: whatever is in hand ends with Halt, and changes nothing."""
        self._given_up.set()

    async def apply(self, batch: Batch) -> list[tuple[Batch, Receipt]]:
        """Apply `batch`, in parts where the database refuses a value; each part with its receipt."""
        try:
            return [(batch, await self._apply_whole(batch))]
        except BadData:
            if len(batch.decoded) <= 1:
                log.error("the database refuses a record; it becomes a dead letter")
                batch.decoded = refused(batch.decoded)
                return [(batch, await self._apply_whole(batch))]
        first, second = batch.halves()
        return [*await self.apply(first), *await self.apply(second)]

    async def until_answered(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Repeat `ask` until it is no Trouble."""
        backoff = Backoff()
        while True:
            try:
                return await self._unless_given_up(ask())
            except Trouble as trouble:
                await self._wait(trouble, backoff)

    async def _apply_whole(self, batch: Batch) -> Receipt:
        backoff = Backoff()
        careful = False
        while True:
            try:
                return await self._unless_given_up(self._transaction.apply(batch, careful=careful))
            except CommitUnknown as unknown:
                if await self.until_answered(lambda: self._transaction.took_effect(batch)):
                    return unknown.receipt
                await self._wait(Trouble("the answer to COMMIT was lost", "connection"), backoff)
            except Trouble as trouble:
                careful = careful or isinstance(trouble, Conflict)
                await self._wait(trouble, backoff)

    async def _wait(self, trouble: Trouble, backoff: Backoff) -> None:
        log.info("the database does not take it now; trying again", extra={"error": str(trouble)})
        self._observer.troubled(trouble, trouble.reason)
        await self._unless_given_up(backoff.pause())

    async def _unless_given_up(self, work: Awaitable[T]) -> T:
        task = asyncio.ensure_future(work)
        given_up = asyncio.ensure_future(self._given_up.wait())
        try:
            await asyncio.wait((task, given_up), return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise Halt("asked to stop while waiting for the database")
            return task.result()
        finally:
            for pending in (task, given_up):
                pending.cancel()
            await asyncio.gather(task, given_up, return_exceptions=True)
