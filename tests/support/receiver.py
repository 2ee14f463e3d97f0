"""A receiver of OTLP over HTTP: a small server that reads what it is sent as OpenTelemetry's own messages."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Receiver:
    """What it was sent. `answer` is the status of its next answers; 0: it takes a request and never answers."""

    def __init__(self) -> None:
        self.answer = 200
        self.requests = 0
        self.bodies: list[bytes] = []
        self.over = threading.Event()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def messages(self) -> list[ExportTraceServiceRequest]:
        return [ExportTraceServiceRequest.FromString(body) for body in list(self.bodies)]

    @property
    def spans(self) -> list[Span]:
        """All spans, in the order in which they ended."""
        return [
            span
            for message in self.messages
            for resource in message.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def below(self, parent: Span) -> list[Span]:
        """The spans below another, by their beginning."""
        found = [span for span in self.spans if span.parent_span_id == parent.span_id]
        return sorted(found, key=lambda span: span.start_time_unix_nano)

    def batches(self) -> list[Span]:
        """The spans that have none above."""
        return [span for span in self.spans if not span.parent_span_id]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """One that listens on a free port."""
    one = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            one.requests += 1
            if one.answer == 0:
                one.over.wait()
                return
            if one.answer == 200:
                one.bodies.append(body)
            self.send_response(one.answer)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    one.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield one
    finally:
        one.over.set()
        server.shutdown()
        server.server_close()


def attributes(span: Any) -> dict[str, Any]:
    """What a span, an event or a resource says, as Python has it."""
    return {one.key: _plain(one.value) for one in span.attributes}


def _plain(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(one) for one in value.array_value.values]
    return getattr(value, kind or "string_value")
