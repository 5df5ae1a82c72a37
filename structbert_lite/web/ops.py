"""Health and metrics, for machines."""

from collections.abc import Iterator

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from structbert_lite.engine import Engine
from structbert_lite.web.schemas import ErrorAnswer, Status, name_operation

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
        counters = {
            "cache_hits": ("Inputs answered from the cache", lambda e: e.cache.hits),
            "cache_misses": ("Inputs not found in the cache", lambda e: e.cache.misses),
            "batches": ("Micro-batches run", lambda e: e.batcher.counts.batches),
            "rows": ("Inputs run through the model", lambda e: e.batcher.counts.rows),
            "tokens": ("Tokens run through the model", lambda e: e.batcher.counts.tokens),
            "padded_tokens": ("Tokens run, padding included", lambda e: e.batcher.counts.padded_tokens),
            "refused": ("Inputs refused because the queue was full", lambda e: e.batcher.counts.refused),
            "expired": ("Inputs dropped because nobody waited any more", lambda e: e.batcher.counts.expired),
            "failed": ("Inputs on which the model failed", lambda e: e.batcher.counts.failed),
        }
        gauges = {
            "cache_bytes": ("Memory of the cache, by estimate", lambda e: e.cache.size),
            "cache_entries": ("Inputs in the cache", lambda e: len(e.cache)),
            "queue_tokens": ("Tokens waiting", lambda e: e.batcher.queued_tokens),
        }
        for family, table in ((CounterMetricFamily, counters), (GaugeMetricFamily, gauges)):
            for name, (text, read) in table.items():
                metric = family(f"structbert_{name}", text, labels=["task"])
                for task, encoder in self._engine.encoders.items():
                    metric.add_metric([task], read(encoder))
                yield metric
