"""The spans of a batch:

process users           the batch: from its first record's arrival to its last commit
    collect             from there until it was cut from what was read
    decode              records to events
    transaction         what is written in it, with its tries; several where a batch is divided
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.trace import (
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.apply.receipt import Receipt
from neon_projector.consumer.batch import Batch, Moments
from neon_projector.consumer.telemetry.tracing.attributes import Attributes, name_of, of_batch, of_transaction
from neon_projector.consumer.telemetry.tracing.none import CURRENT, UNTRACED, BatchTrace
from neon_projector.projections.contract.trace_context import TraceContext, sampled_contexts

LINKS = 32
"""A batch links to at most so many spans of publishers."""


class Spans:
    """Makes the spans of one service's batches."""

    def __init__(self, tracer: Tracer, group_id: str) -> None:
        self._tracer, self._group_id = tracer, group_id

    def watch(self, engine: AsyncEngine) -> None:
        """Count the statements of this engine, each for the batch that it belongs to."""
        event.listen(engine.sync_engine, "before_cursor_execute", lambda *_: CURRENT.get().executed())

    @contextmanager
    def batch(self, batch: Batch) -> Iterator[BatchTrace]:
        """Within, `batch` is applied."""
        moments = _Wall(batch.moments)
        span = self._tracer.start_span(name_of(batch), Context(), SpanKind.CONSUMER, start_time=moments.first_read)
        if not span.is_recording():  # then nothing more is done for it
            yield UNTRACED
            return
        traced = TracedBatch(self._tracer, span)
        traced.before(batch, moments, self._group_id)
        token = CURRENT.set(traced)
        try:
            yield traced
        except BaseException as error:
            traced.failed(error)
            raise
        finally:
            CURRENT.reset(token)
            span.end()


class TracedBatch(BatchTrace):
    """Tells one batch's span what becomes of it, and makes those below."""

    def __init__(self, tracer: Tracer, span: Span) -> None:
        self._tracer, self._span = tracer, span
        self._below = set_span_in_context(span, Context())
        context = span.get_span_context()
        if context.trace_flags.sampled:
            self.exemplar = {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
        self._begin()

    def before(self, batch: Batch, moments: "_Wall", group_id: str) -> None:
        """What was done before it is applied."""
        self._span.set_attributes(of_batch(batch, group_id))
        for context in sampled_contexts((one.record for one in batch.decoded), LINKS):
            self._span.add_link(_span_context(context))
        for name, began, ended in (
            ("collect", moments.first_read, moments.cut),
            ("decode", moments.decoding, moments.decoded),
        ):
            self._tracer.start_span(name, self._below, start_time=began).end(ended)

    def committed(self, done: Batch, receipt: Receipt) -> None:
        self._transaction(of_transaction(done, receipt)).end()
        self._begin()

    def retried(self, reason: str) -> None:
        self._retries.append((time.time_ns(), reason))

    def executed(self) -> None:
        self._statements += 1

    def failed(self, error: BaseException) -> None:
        """It is not applied, or not all of it. Only the kind of error is told: its text may quote a value."""
        transaction = self._transaction({})
        for span in (transaction, self._span):
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(Status(StatusCode.ERROR))
        transaction.end()

    def _begin(self) -> None:
        self._began = time.time_ns()
        self._statements = 0
        self._retries: list[tuple[int, str]] = []

    def _transaction(self, attributes: Attributes) -> Span:
        """The span of what was done since `_begin`, not ended yet."""
        span = self._tracer.start_span("transaction", self._below, SpanKind.CLIENT, start_time=self._began)
        counts = {"projector.statements": self._statements, "projector.retries": len(self._retries)}
        span.set_attributes({"db.system.name": "postgresql", **counts, **attributes})
        for at, reason in self._retries:
            span.add_event("retry", {"projector.reason": reason}, at)
        return span


def _span_context(context: TraceContext) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(int(context.trace_id, 16), int(context.span_id, 16), is_remote=True, trace_flags=flags)


class _Wall:
    """A batch's moments as nanoseconds since 1970; the loop's clock is the monotonic one. All by one comparison of both
    clocks, so that none comes before another one that it follows."""

    def __init__(self, moments: Moments) -> None:
        ahead = time.time_ns() - time.monotonic_ns()
        self.first_read, self.cut, self.decoding, self.decoded = (int(one * 1e9) + ahead for one in moments)
