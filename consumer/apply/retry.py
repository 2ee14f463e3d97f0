"""Decides what follows an error of the database: wait and try again, try in another mode, split the batch, or ask
whether it was committed. A batch ends applied, or with an error such as Fenced."""

import logging
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Protocol

from neon_projector.consumer.apply.entities.apart import refusal
from neon_projector.consumer.apply.mode import Mode
from neon_projector.consumer.apply.receipt import Receipt
from neon_projector.consumer.apply.transaction import CommitUnknown, Transaction
from neon_projector.consumer.batch import Batch
from neon_projector.consumer.errors import (
    BadData,
    Conflict,
    Fenced,
    Moved,
    NeedsMode,
    PositionsMoved,
    TooLarge,
    TransientError,
)
from neon_projector.consumer.recovery.retrying import Backoff, Listener, Retrying
from neon_projector.projections.contract.event import Decoded, Event
from neon_projector.projections.contract.outcome import Reason

log = logging.getLogger(__name__)

NAMED = 10
"""The log names at most so many ids of what is kept aside."""

NEW_FROM = 500
"""Batches of at least so many events assume that first versions are new, parents exist and unique values are free.
Smaller batches have little to gain, and on a quiet stream each error would be one more in Postgres's log."""
PATIENCE = 6
"""A conflict over a row or a unique value that comes back more often, while nobody else writes, is no race."""
PATIENCE_OF_PARTS = 2
"""The same for the parts of a batch that was tried so often as a whole."""
LASTING = 3
"""After so many conflicts in a row the batch counts as one that can't be written."""
WHOLE_TRIES = 3
"""A batch that fails as one that is too large would is divided after so many attempts. In an outage that costs
nothing: once the database answers, the halves that were not tried yet are written as they are."""
TOO_MUCH = ("connection", "limit", "timeout")
"""How Postgres and proxies answer a statement that takes too long, needs too much memory, or is too long: 57014, 53200,
and a connection that is closed (a message of more than 1 GB)."""


class BatchListener(Listener, Protocol):
    """Hears also of each batch that meets a conflict or is written."""

    def lasts(self, batch: Batch, conflict: Conflict) -> None:
        """It meets conflicts again and again."""

    def written(self, batch: Batch) -> None:
        """It is written, or given up."""


class Retry:
    """Applies batches, with as many attempts as it takes. It remembers in which mode the last batch went through."""

    def __init__(self, transaction: Transaction, listener: BatchListener, new_from: int = NEW_FROM) -> None:
        self._transaction = transaction
        self._listener, self._retrying = listener, Retrying(listener)
        self._new_from = new_from
        self._mode = Mode.SHARED_INSERT
        """The mode in which the next batch begins (Receipt.next_mode)."""

    async def apply(self, batch: Batch) -> AsyncIterator[tuple[Batch, Receipt]]:
        """Apply `batch`. Yields it, or its parts, each when it is committed.

        It is divided if the database refuses a record, or if it is too large: too much is stored of its entities, or
        it has failed several times as one that is too large would.
        """
        try:
            async for done in self._in_parts(batch, batch, PATIENCE):
                yield done
        finally:
            self._listener.written(batch)

    async def _in_parts(self, batch: Batch, whole: Batch, patience: int) -> AsyncIterator[tuple[Batch, Receipt]]:
        try:
            receipt = await self._apply_whole(batch, whole, patience)
        except (BadData, TooLarge):  # one record alone is never too large
            if len(batch.decoded) > 1:
                for half in batch.halves():
                    async for done in self._in_parts(half, whole, PATIENCE_OF_PARTS):
                        yield done
                return
            receipt = await self._apply_apart(batch, whole)
        yield batch, receipt

    async def _apply_apart(self, batch: Batch, whole: Batch) -> Receipt:
        """Apply one record where the database refuses something: the record, or what it releases."""
        try:
            receipt = await self._apply_whole(batch, whole, PATIENCE_OF_PARTS, Mode.EXCLUSIVE_APART)
        except BadData as error:  # at COMMIT
            batch.decoded = _refused(batch.decoded, error.detail)
            receipt = await self._apply_whole(batch, whole, PATIENCE)
        for one in (one for one in receipt.rejections if one.reason is Reason.REFUSED_BY_DATABASE):
            place = {"topic": one.record.topic, "partition": one.record.partition, "offset": one.record.offset}
            log.error("the database refuses a record; it is a dead letter now", extra={**place, "error": one.error})
        for kept in receipt.kept:
            details = {"entity": kept.entity, "ids": [str(i) for i in kept.ids[:NAMED]], "number": len(kept.ids)}
            log.error(
                "the database refuses what had waited; it is kept aside: projector parked list",
                extra={**details, "error": kept.error},
            )
        return receipt

    async def _apply_whole(self, batch: Batch, whole: Batch, patience: int, mode: Mode | None = None) -> Receipt:
        backoff = Backoff()
        conflicts = tries = 0
        if mode is None:
            mode = self._mode if len(batch.decoded) >= self._new_from else max(self._mode, Mode.SHARED_LOOKING)
        while True:
            try:
                receipt = await self._transaction.apply(batch, mode)
            except NeedsMode as needs:
                mode = Mode(needs.mode)
            except (Fenced, PositionsMoved):  # an answer; where nothing is ours any more, no other one may follow
                self._listener.answered()
                raise
            except CommitUnknown as unknown:
                if await self._retrying.until_answered(lambda: self._transaction.took_effect(batch)):
                    return unknown.receipt
                await self._retrying.wait(TransientError("the answer to COMMIT was lost", "connection"), backoff)
            except Conflict as conflict:
                conflicts += 1
                if isinstance(conflict, Moved) and mode >= Mode.EXCLUSIVE_RESOLVE and conflicts > patience:
                    raise await self._retrying.until_answered(partial(self._transaction.blamed, conflict)) from None
                mode = max(mode, Mode.EXCLUSIVE_RESOLVE)
                if conflicts >= LASTING:
                    self._listener.lasts(whole, conflict)
                await self._retrying.wait(conflict, backoff)
            except TransientError as trouble:
                await self._retrying.wait(trouble, backoff)
                tries += trouble.reason in TOO_MUCH
                if tries >= WHOLE_TRIES and len(batch.decoded) > 1:
                    raise TooLarge from trouble
            else:
                self._mode = receipt.next_mode
                return receipt


def _refused(decoded: Sequence[Decoded], detail: str) -> list[Decoded]:
    """These records with each event as a rejection. `detail` names what refuses them."""
    return [refusal(d, detail) if isinstance(d, Event) else d for d in decoded]
