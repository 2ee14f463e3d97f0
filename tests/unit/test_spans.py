"""Which spans a batch has, whatever becomes of it."""

import time
from collections import Counter
from uuid import UUID

import pytest
from aiokafka import TopicPartition
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler
from opentelemetry.trace import StatusCode

from neon_projector.consumer.apply.receipt import Receipt
from neon_projector.consumer.batch import Batch, Fetched, Moments
from neon_projector.consumer.offsets.claim import OffsetRange
from neon_projector.consumer.telemetry.tracing.none import CURRENT, UNTRACED
from neon_projector.consumer.telemetry.tracing.spans import LINKS, Spans
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.outcome import Outcome
from neon_projector.projections.registry import REGISTRY
from tests.support.factories import a_document_event, a_record, a_user_event

SECRET = UUID(int=77)
decode = Decoder(REGISTRY).all


def a_batch(number: int = 1, *, topics: tuple[str, ...] = ("users",), partitions: int = 1) -> Batch:
    """With so many events in each partition, each in a sampled trace of its own."""
    now = time.monotonic()
    batch = Batch(moments=Moments(now - 4, now - 3, now - 2, now - 1), trigger="count")
    for topic in topics:
        for partition in range(partitions):
            events = [a_user_event(name="secret") if topic == "users" else a_document_event() for _ in range(number)]
            contexts = [f"00-{one + 1:032x}-{'1' * 16}-01".encode() for one in range(number)]
            records = [
                a_record(event, headers=(("traceparent", context),), partition=partition)
                for event, context in zip(events, contexts, strict=True)
            ]
            fetched = Fetched(TopicPartition(topic, partition), OffsetRange(5, 5 + number, 1), records)
            batch.add(fetched, decode(records))
    return batch


def made(sampler: Sampler = ALWAYS_ON) -> tuple[Spans, InMemorySpanExporter]:
    provider, kept = TracerProvider(sampler, shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    return Spans(provider.get_tracer("test"), "group"), kept


def a_receipt(batch: Batch) -> Receipt:
    receipt = Receipt()
    for partition in batch.parts:
        receipt.totals[partition] = Counter({Outcome.APPLIED: 1})
    return receipt


def test_a_batch_is_one_trace() -> None:
    spans, kept = made()
    batch = a_batch(2)
    with spans.batch(batch) as trace:
        CURRENT.get().executed()
        trace.retried("conflict")
        trace.executed()
        trace.committed(batch, a_receipt(batch))
    assert CURRENT.get() is UNTRACED
    collect, decoding, transaction, whole = kept.get_finished_spans()
    assert [one.name for one in (collect, decoding, transaction, whole)] == [
        "collect", "decode", "transaction", "process users",
    ]  # fmt: skip
    assert {one.parent and one.parent.span_id for one in (collect, decoding, transaction)} == {whole.context.span_id}
    assert trace.exemplar == {
        "trace_id": f"{whole.context.trace_id:032x}", "span_id": f"{whole.context.span_id:016x}",
    }  # fmt: skip
    assert seconds(collect) == pytest.approx(1, abs=0.2)
    assert seconds(decoding) == pytest.approx(1, abs=0.2)
    assert seconds(whole) == pytest.approx(4, abs=0.4)
    assert dict(transaction.attributes or {}) == {
        "db.system.name": "postgresql", "projector.statements": 2, "projector.retries": 1, "projector.records": 2,
        "projector.records.applied": 1,
    }  # fmt: skip
    (event,) = transaction.events
    assert (event.name, dict(event.attributes or {})) == ("retry", {"projector.reason": "conflict"})
    assert [link.context.trace_id for link in whole.links] == [1, 2]


def seconds(span: ReadableSpan) -> float:
    assert span.start_time is not None
    assert span.end_time is not None
    return (span.end_time - span.start_time) / 1e9


def test_links_and_named_partitions_are_bounded() -> None:
    spans, kept = made()
    with spans.batch(a_batch(60, partitions=40)):
        pass
    whole = kept.get_finished_spans()[-1]
    told = whole.attributes or {}
    assert len(whole.links) == LINKS == 32
    assert (len(told["projector.offsets"]), told["projector.partitions"]) == (32, 40)  # type: ignore[arg-type]  # a list
    assert "messaging.destination.partition.id" not in told


def test_a_batch_of_several_topics_is_named_after_none() -> None:
    spans, kept = made()
    with spans.batch(a_batch(topics=("users", "documents"))):
        pass
    whole = kept.get_finished_spans()[-1]
    assert whole.name == "process"
    assert "messaging.destination.name" not in (whole.attributes or {})
    assert (whole.attributes or {})["messaging.batch.message_count"] == 2


def test_an_error_is_told_by_its_kind_only_and_goes_on() -> None:
    spans, kept = made()
    with pytest.raises(ValueError, match="secret"), spans.batch(a_batch()):
        raise ValueError("secret")
    assert CURRENT.get() is UNTRACED
    *_, transaction, whole = kept.get_finished_spans()
    for one in (transaction, whole):
        assert one.status.status_code is StatusCode.ERROR
        assert (one.attributes or {})["error.type"] == "ValueError"
    assert not any("secret" in one.to_json() for one in kept.get_finished_spans())


def test_of_a_batch_that_is_not_sampled_nothing_is_looked_at() -> None:
    class Never:
        moments, parts = Moments(), a_batch().parts

    spans, kept = made(ALWAYS_OFF)
    with spans.batch(Never()) as trace:  # type: ignore[arg-type]  # no more of a batch than that
        assert trace is UNTRACED
        assert CURRENT.get() is UNTRACED
    assert kept.get_finished_spans() == ()
