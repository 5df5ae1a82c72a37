"""Health and metrics, for machines."""

from collections.abc import Callable, Iterator
from typing import Any

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from structbert_lite.engine import Engine
from structbert_lite.web.schemas import ErrorAnswer, Status, name_operation

COUNTERS = {
    "cache_hits": ("Inputs answered from the cache", lambda e: e.hits),
    "cache_misses": ("Inputs not found in the cache", lambda e: e.misses),
    "batches": ("Micro-batches run", lambda e: e.batcher.counts.batches),
    "rows": ("Inputs run through the model", lambda e: e.batcher.counts.rows),
    "tokens": ("Tokens run through the model", lambda e: e.batcher.counts.tokens),
    "padded_tokens": ("Tokens run, padding included", lambda e: e.batcher.counts.padded_tokens),
    "refused": ("Inputs refused because the queue was full", lambda e: e.batcher.counts.refused),
    "expired": ("Inputs dropped because nobody waited any more", lambda e: e.batcher.counts.expired),
    "failed": ("Inputs on which the model failed", lambda e: e.batcher.counts.failed),
}
OPERATIONS = Tag(name="operations", description="Health and metrics")


def make_blueprint(engine: Engine) -> APIBlueprint:
    """/livez, /readyz, /health and /metrics, bound to `engine`."""
    ops = APIBlueprint("ops", __name__, operation_id_callback=name_operation)
    registry = CollectorRegistry()
    registry.register(_EngineCollector(engine))

    @ops.get("/livez", tags=[OPERATIONS], responses={200: Status})
    def livez() -> Response:
        """The process answers."""
        return jsonify({"status": "alive"})

    @ops.get("/readyz", tags=[OPERATIONS], responses={200: Status, 503: ErrorAnswer})
    def readyz() -> Response:
        """Every model can answer; 503 while draining and when inference fails."""
        engine.ping()
        return jsonify({"status": "ready"})

    @ops.get("/health", tags=[OPERATIONS], responses={200: Status, 503: ErrorAnswer})
    def health() -> Response:
        """The same as /readyz, for people and containers."""
        return readyz()

    @ops.get("/metrics", tags=[OPERATIONS])
    def metrics() -> Response:
        """Prometheus text."""
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    return ops


class _EngineCollector(Collector):
    """Reads the engine's own counters when it is asked, so that counting costs a request nothing more."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[Metric]:
        for name, (text, read) in COUNTERS.items():
            yield self._by_model(CounterMetricFamily(f"structbert_{name}", text, labels=["model"]), read)
        queued = GaugeMetricFamily("structbert_queue_tokens", "Tokens waiting", labels=["model"])
        yield self._by_model(queued, lambda e: e.batcher.queued_tokens)
        cache = self._engine.cache
        yield GaugeMetricFamily("structbert_cache_bytes", "Memory of the cache, by estimate", cache.size)
        yield GaugeMetricFamily("structbert_cache_entries", "Inputs in the cache", len(cache))
        yield self._models()

    def _by_model(self, metric: Metric, read: Callable[[Any], float]) -> Metric:
        for name, encoder in self._engine.encoders.items():
            metric.add_metric([name], read(encoder))
        return metric

    def _models(self) -> Metric:
        """Which model serves a task: one model may serve two, and its counters are of both together."""
        metric = GaugeMetricFamily(
            "structbert_model_loaded", "1 when the task's model is loaded", labels=["task", "model", "digest"]
        )
        loaded = self._engine.encoders
        for task, name in self._engine.names.items():
            metric.add_metric([task, name, self._engine.manifest(task).digest], float(name in loaded))
        return metric
