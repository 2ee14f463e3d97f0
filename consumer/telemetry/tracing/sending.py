"""Sends spans by OTLP/HTTP, from a thread of OpenTelemetry's own: a receiver that is away or slow holds nobody up."""

import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.batch import Batch
from neon_projector.consumer.telemetry.tracing.none import BatchTrace
from neon_projector.consumer.telemetry.tracing.spans import Spans
from neon_projector.consumer.version import version

SERVICE_NAME = "neon-projector"
"""What the service is called, unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES say otherwise."""
STOP_SECONDS = 1.0
"""So long at most the last spans are waited for, when the service stops."""


def sending(environment: Mapping[str, str], group_id: str) -> "Sending":
    """Tracing as the variables OTEL_* of the process say; of `environment` only the names are taken. Errors as the SDK
    raises them."""
    named = environment.get("OTEL_SERVICE_NAME") or "service.name=" in environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    resource = Resource.create({"service.version": version()} | ({} if named else {"service.name": SERVICE_NAME}))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Sending(provider, group_id)


class Sending:
    """Traces batches, and sends the spans."""

    def __init__(self, provider: TracerProvider, group_id: str) -> None:
        self._provider = provider
        self._spans = Spans(provider.get_tracer("neon_projector", version()), group_id)

    def watch(self, engine: AsyncEngine) -> None:
        self._spans.watch(engine)

    def batch(self, batch: Batch) -> AbstractContextManager[BatchTrace]:
        return self._spans.batch(batch)

    def stop(self) -> None:
        """The SDK would wait for half a minute; the thread that does so ends with the process."""
        stopping = threading.Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        stopping.start()
        stopping.join(STOP_SECONDS)
