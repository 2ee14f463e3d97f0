"""What traces cost for each event: batches of 5,000, traced in each way by turns, so that all have the same machine.

`python -m bench.traces`
"""

import time
from statistics import median

from aiokafka import TopicPartition
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler

from neon_projector.consumer.apply.receipt import Receipt
from neon_projector.consumer.batch import Batch, Fetched
from neon_projector.consumer.kafka.light_records import LightRecord
from neon_projector.consumer.offsets.claim import OffsetRange
from neon_projector.consumer.telemetry.tracing.none import NoTracing
from neon_projector.consumer.telemetry.tracing.spans import Spans
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.registry import REGISTRY
from tests.support.factories import ARecord, a_binary_record, a_record, a_user_event

EVENTS, TURNS = 5_000, 60
CONTEXT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0"


class Nowhere(SpanExporter):
    def export(self, spans: object) -> SpanExportResult:
        return SpanExportResult.SUCCESS


def main() -> None:
    plain, named = a_user_event(), a_user_event() | {"traceparent": f"{CONTEXT}0"}
    batches = {
        "no context": batch_of(a_record(plain)),
        "header, not sampled": batch_of(a_record(plain, headers=(("traceparent", f"{CONTEXT}0".encode()),))),
        "attribute, not sampled": batch_of(a_record(named)),
        "binary mode, not sampled": batch_of(a_binary_record(named)),
        "header, one sampled": batch_of(a_record(plain, headers=(("traceparent", f"{CONTEXT}1".encode()),))),
    }
    ways: dict[str, NoTracing | Spans] = {
        "off": NoTracing(), "on, not sampled": spans(ALWAYS_OFF), "on": spans(ALWAYS_ON),
    }  # fmt: skip
    taken: dict[tuple[str, str], list[float]] = {(way, kind): [] for way in ways for kind in batches}
    for _ in range(TURNS):
        for (way, kind), own in taken.items():
            began = time.thread_time()
            with ways[way].batch(batches[kind]) as trace:
                trace.committed(batches[kind], Receipt())
            own.append(time.thread_time() - began)
    for (way, kind), own in taken.items():
        batch = median(own) * 1e6
        print(f"{way:16} {kind:26} {batch:8.1f} µs of CPU a batch, {batch / EVENTS:7.4f} an event")


def spans(sampler: Sampler) -> Spans:
    provider = TracerProvider(sampler)
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    return Spans(provider.get_tracer("bench"), "group")


def batch_of(one: ARecord) -> Batch:
    """Of so many records like this one."""
    records = [
        LightRecord("users", 0, offset, 1_700_000_000_000, one.key, one.value, one.headers) for offset in range(EVENTS)
    ]
    batch = Batch(trigger="count")
    span = OffsetRange(0, EVENTS, 1)
    batch.add(Fetched(TopicPartition("users", 0), span, records), Decoder(REGISTRY).all(records))
    return batch


if __name__ == "__main__":
    main()
