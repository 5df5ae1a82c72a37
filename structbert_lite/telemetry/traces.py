"""OpenTelemetry traces: a span for a request; below it tokenize, queue and inference. Imported when they are on."""

import time
from collections.abc import Mapping
from typing import Any

from opentelemetry import context, propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, format_trace_id

from structbert_lite import __version__
from structbert_lite.inference.observer import Observer

# Facts of a request under the names of OpenTelemetry's conventions; none of them is the client's own words.
ATTRIBUTES = {
    "method": "http.request.method",
    "route": "http.route",
    "status": "http.response.status_code",
    "error": "error.type",
    "task": "structbert.task",
    "items": "structbert.items",
}


def otlp_provider() -> TracerProvider:
    """Sends what it is given, in a thread of its own, where the standard OTEL_ variables say."""
    named = OTELResourceDetector().detect().attributes.get(SERVICE_NAME, "structbert-lite")
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: named}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


class Tracing:
    """A span for each request, sent to `provider`, in the trace that the client's `traceparent` names.

    `observer` adds to it what the models do.
    """

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("structbert_lite", __version__)
        self.observer: Observer = _StageSpans(self._tracer)

    def begin(self, method: str, route: str, headers: Any) -> tuple[Span, Any]:
        """A request's span, current in this thread until `end`. `headers` by name, in lower case or in any."""
        name = method if route == "unmatched" else f"{method} {route}"
        span = self._tracer.start_span(name, propagate.extract(headers), SpanKind.SERVER)
        return span, context.attach(trace.set_span_in_context(span))

    def describe(self, begun: tuple[Span, Any], facts: Mapping[str, Any]) -> None:
        """Puts what is known of the answer on the span."""
        span, _ = begun
        span.set_attributes({ATTRIBUTES[name]: value for name, value in facts.items() if name in ATTRIBUTES})
        if facts["status"] >= 500:
            span.set_status(StatusCode.ERROR)

    def end(self, begun: tuple[Span, Any]) -> None:
        """Ends the span; the thread is free for another request."""
        span, token = begun
        span.end()
        context.detach(token)

    def trace_id(self, begun: tuple[Span, Any]) -> str:
        """32 hexadecimal digits."""
        return format_trace_id(begun[0].get_span_context().trace_id)


class _StageSpans(Observer):
    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    def on_tokenize(self, inputs: int, began: float, ended: float) -> None:
        self._span("tokenize", inputs, began, ended)

    def on_answer(self, inputs: int, queued: float, began: float, ended: float) -> None:
        self._span("queue", inputs, queued, began)
        if ended > began:
            self._span("inference", inputs, began, ended)

    def _span(self, name: str, inputs: int, began: float, ended: float) -> None:
        epoch = time.time() - time.monotonic()
        start, end = (int((epoch + instant) * 1e9) for instant in (began, ended))
        self._tracer.start_span(name, attributes={"structbert.inputs": inputs}, start_time=start).end(end)
