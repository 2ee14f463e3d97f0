"""Waits out what passes, splits off what is bad, settles what is unknown: a batch comes back applied, or Fenced."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from consumer.batch import Batch
from consumer.errors import BadData, Conflict, NeedsMode, TooLarge, Trouble
from consumer.gate import Mode
from consumer.recovery import Backoff, kafka_translated
from consumer.transaction import CommitUnknown, Receipt, Transaction, refused

if TYPE_CHECKING:
    from consumer.observer import Observer

log = logging.getLogger(__name__)

T = TypeVar("T")

NEW_FROM = 500
"""In batches of so many events first versions are taken to be new. Smaller ones have little to gain, and a quiet stream
with repeated events has an error in Postgres's log to lose for each."""


class Retry:
    """The one place that decides what follows an error of the database."""

    def __init__(self, transaction: Transaction, observer: "Observer", new_from: int = NEW_FROM) -> None:
        self._transaction = transaction
        self._observer = observer
        self._new_from = new_from
        self._mode = Mode.NEW
        """Where to begin: as the last batch turned out."""

    async def apply(self, batch: Batch) -> AsyncIterator[tuple[Batch, Receipt]]:
        """Apply `batch`, in parts where the database refuses a value; each part comes when it is committed.

        So also where too much is stored of their entities.
        """
        try:
            receipt = await self._apply_whole(batch)
        except (BadData, TooLarge):  # one record alone is never too large
            if len(batch.decoded) > 1:
                for half in batch.halves():
                    async for done in self.apply(half):
                        yield done
                return
            log.error("the database refuses a record; it becomes a dead letter")
            batch.decoded = refused(batch.decoded)
            receipt = await self._apply_whole(batch)
        yield batch, receipt

    async def until_answered(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Repeat `ask` until it is no Trouble."""
        backoff = Backoff()
        while True:
            try:
                answer = await ask()
            except Trouble as trouble:
                await self._wait(trouble, backoff)
            else:
                self._observer.answered()
                return answer

    async def until_kafka_answers(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Repeat `ask`, which asks Kafka, until it is no Trouble; the first one is worth a line in the log."""
        backoff, again = Backoff(), False
        while True:
            try:
                with kafka_translated():
                    answer = await ask()
            except Trouble as trouble:
                level, again = (logging.DEBUG if again else logging.WARNING), True
                log.log(level, "Kafka does not answer; trying again", extra={"error": str(trouble)})
                self._observer.kafka_troubled(trouble)
                await backoff.pause()
            else:
                self._observer.kafka_answered()
                return answer

    async def _apply_whole(self, batch: Batch) -> Receipt:
        backoff = Backoff()
        mode = self._mode if len(batch.decoded) >= self._new_from else max(self._mode, Mode.BESIDE)
        while True:
            try:
                receipt = await self._transaction.apply(batch, mode)
            except NeedsMode as needs:
                mode = Mode(needs.mode)
            except CommitUnknown as unknown:
                if await self.until_answered(lambda: self._transaction.took_effect(batch)):
                    return unknown.receipt
                await self._wait(Trouble("the answer to COMMIT was lost", "connection"), backoff)
            except Trouble as trouble:
                mode = Mode.CAREFUL if isinstance(trouble, Conflict) else mode
                await self._wait(trouble, backoff)
            else:
                self._mode = receipt.next_mode
                return receipt

    async def _wait(self, trouble: Trouble, backoff: Backoff) -> None:
        log.info("the database does not take it now; trying again", extra={"error": str(trouble)})
        self._observer.troubled(trouble)
        await backoff.pause()
