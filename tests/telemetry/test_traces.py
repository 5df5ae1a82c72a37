"""Traces: into memory through the application's own code, and over HTTP from a real server as a collector gets them."""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from app import create_app
from structbert_lite.bench.server_process import free_port, run_server
from structbert_lite.settings import PROJECT, Settings
from structbert_lite.telemetry import traces

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture(scope="module")
def traced(exporter: InMemorySpanExporter, tiny_models: Path) -> Iterator[FlaskClient]:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(traces, "otlp_provider", lambda: provider)
        yield create_app(Settings(models=tiny_models, traces="otlp")).test_client()


def spans_of(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    spans = {span.name: span for span in exporter.get_finished_spans()}
    exporter.clear()
    return spans


def test_a_request_has_its_stages_below_it(traced: FlaskClient, exporter: InMemorySpanExporter) -> None:
    exporter.clear()
    before = time.time_ns()
    traced.post("/predict_batch", json={"texts": ["追踪这句话", "还有这一句"]}, headers={"traceparent": TRACEPARENT})
    after = time.time_ns()
    spans = spans_of(exporter)
    assert set(spans) == {"POST /predict_batch", "tokenize", "queue", "inference"}
    request = spans.pop("POST /predict_batch")
    assert request.kind == SpanKind.SERVER
    assert f"{request.context.trace_id:032x}" == TRACE
    assert f"{request.parent.span_id:016x}" == PARENT
    assert dict(request.attributes) == {
        "http.request.method": "POST",
        "http.route": "/predict_batch",
        "http.response.status_code": 200,
        "structbert.task": "sentiment",
        "structbert.items": 2,
    }
    for span in spans.values():
        assert span.parent.span_id == request.context.span_id
        assert span.attributes["structbert.inputs"] == 2
    ends = [before, *(t for n in ("tokenize", "queue", "inference") for t in (spans[n].start_time, spans[n].end_time))]
    slack = 5_000_000  # two clocks, ns
    assert all(first <= second + slack for first, second in zip(ends, [*ends[1:], after], strict=True))


def test_what_the_cache_answers_has_no_stages(traced: FlaskClient, exporter: InMemorySpanExporter) -> None:
    traced.post("/predict", json={"text": "问两遍"})
    exporter.clear()
    traced.post("/predict", json={"text": "问两遍"})
    assert set(spans_of(exporter)) == {"POST /predict"}


def test_every_request_starts_a_trace_of_its_own(traced: FlaskClient, exporter: InMemorySpanExporter) -> None:
    exporter.clear()
    for header in ({}, {"traceparent": "zhimakaimen"}):
        traced.post("/predict", json={"text": "问两遍"}, headers=header)
    first, second = exporter.get_finished_spans()
    assert first.parent is second.parent is None
    assert first.context.trace_id != second.context.trace_id


def test_errors_say_their_type_and_no_text(traced: FlaskClient, exporter: InMemorySpanExporter) -> None:
    exporter.clear()
    traced.post("/predict", json={"text": "芝麻开门", "zhimakaimen": 1})
    (span,) = spans_of(exporter).values()
    assert span.attributes["error.type"] == "invalid_input"
    assert span.status.status_code == StatusCode.UNSET  # the client's fault, not the server's
    traced.get("/芝麻开门?zhimakaimen", headers={"User-Agent": "zhimakaimen"})
    (missing,) = spans_of(exporter).values()
    assert missing.name == "GET"
    for text in (span.to_json(), missing.to_json()):
        assert "zhimakaimen" not in text
        assert "芝麻开门" not in json.dumps(json.loads(text), ensure_ascii=False)


def test_a_failure_of_the_server_is_marked(traced: FlaskClient, exporter: InMemorySpanExporter) -> None:
    engine = traced.application.extensions["structbert_engine"]
    predict = engine.predict
    engine.predict = lambda *_, **__: 1 / 0
    exporter.clear()
    assert traced.post("/predict", json={"text": "好"}).status_code == 500
    engine.predict = predict
    (span,) = spans_of(exporter).values()
    assert span.status.status_code == StatusCode.ERROR
    assert span.attributes["error.type"] == "internal_error"
    assert not span.events  # an exception's message could quote a text


def test_probes_leave_no_trace(traced: FlaskClient, exporter: InMemorySpanExporter) -> None:
    exporter.clear()
    for route in ("/livez", "/readyz", "/health", "/metrics"):
        traced.get(route)
    assert not exporter.get_finished_spans()


def test_off_imports_nothing(tiny_models: Path) -> None:
    code = (
        "import sys; from app import create_app; from structbert_lite.settings import Settings\n"
        "from pathlib import Path\n"
        "client = create_app(Settings(models=Path(sys.argv[1]), load='lazy')).test_client()\n"
        "assert client.post('/similarity', json={'text_a': 'a', 'text_b': 'b'}).status_code == 200\n"
        "found = [name for name in sys.modules if name.startswith(('opentelemetry', 'google.protobuf', 'requests'))]\n"
        "assert not found, found\n"
    )
    command = [sys.executable, "-c", code, tiny_models]
    run = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


class Collector(BaseHTTPRequestHandler):
    received: list[tuple[str, ExportTraceServiceRequest]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append((self.headers.get("X-Tenant", ""), ExportTraceServiceRequest.FromString(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_a_collector_gets_them_where_the_standard_variables_say(tiny_models: Path) -> None:
    handler = type("OneCollector", (Collector,), {"received": []})
    collector = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    port = free_port()
    environment = os.environ | {
        "STRUCTBERT_PORT": str(port),
        "STRUCTBERT_MODELS": str(tiny_models),
        "STRUCTBERT_TRACES": "otlp",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=shop",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
        "NO_PROXY": "127.0.0.1",
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"]
    try:
        with run_server(command, port, "/readyz", environment):
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/predict",
                data=json.dumps({"text": "好"}).encode(),
                headers={"Content-Type": "application/json", "traceparent": TRACEPARENT},
            )
            with urllib.request.urlopen(request, timeout=30) as answer:
                assert answer.status == 200
        # What is still in the process when SIGTERM comes is sent before it ends.
        assert {tenant for tenant, _ in handler.received} == {"shop"}
        groups = [group for _, sent in handler.received for group in sent.resource_spans]
        spans = {s.name: s for group in groups for scope in group.scope_spans for s in scope.spans}
        about = {fact.key: fact.value.string_value for fact in groups[0].resource.attributes}
    finally:
        collector.shutdown()
        collector.server_close()
    assert {"POST /predict", "tokenize", "queue", "inference"} <= set(spans)
    assert spans["POST /predict"].trace_id.hex() == TRACE
    assert about["service.name"] == "structbert-lite"
    assert about["deployment.environment.name"] == "test"
