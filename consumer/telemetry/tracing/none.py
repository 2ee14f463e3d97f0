"""What the service tells of its batches, and the tracing that keeps nothing of it: the usual one."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.apply.receipt import Receipt
from neon_projector.consumer.batch import Batch


class BatchTrace:
    """Hears what becomes of one batch. This one does not listen: no tracing, or not of this batch."""

    exemplar: Mapping[str, str] | None = None
    """`trace_id` and `span_id`, if the batch is sampled."""

    def committed(self, done: Batch, receipt: Receipt) -> None:
        """The batch, or a part of it, is committed."""

    def retried(self, reason: str) -> None:
        """The database did not take it; it is tried again."""

    def executed(self) -> None:
        """A statement is sent."""


UNTRACED = BatchTrace()
CURRENT: ContextVar[BatchTrace] = ContextVar("the trace of the batch that this task applies", default=UNTRACED)


class Tracing(Protocol):
    """Traces the batches of one service."""

    def watch(self, engine: AsyncEngine) -> None:
        """Count the statements of this engine, each for the batch that it belongs to."""

    def batch(self, batch: Batch) -> AbstractContextManager[BatchTrace]:
        """Within, `batch` is applied. However that ends, it is part of the trace; no error is kept from anybody."""

    def stop(self) -> None:
        """Send what is left, for a moment at most; nothing is traced any more."""


class NoTracing:
    """Tracing that is off."""

    def watch(self, engine: AsyncEngine) -> None:
        pass

    @contextmanager
    def batch(self, batch: Batch) -> Iterator[BatchTrace]:
        yield UNTRACED

    def stop(self) -> None:
        pass
