"""Every metric of /metrics but those of the process; docs/operations.md lists them.

Names and labels are a promise to whoever draws them. No label takes a value from a client.
"""

import platform
from collections.abc import Collection, Sequence
from importlib.metadata import version
from typing import Literal

import numpy as np
import prometheus_client
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from structbert_lite import __version__
from structbert_lite.cache.shared import FAILURES
from structbert_lite.inference.observer import Observer

# Upper bounds of the histograms. A bound may be added; taking one away breaks what people have drawn with it.
REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
STAGE_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
PADDED_TOKENS = (16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1024, 2048, 4096, 16384)

STAGES = ("tokenize", "queue", "slot", "inference")
# What one gauge of several processes is, of those that live.
Together = Literal["livesum", "livemin", "livemax"]
UNANSWERED = ("refused", "expired", "failed")


class Metrics:
    """The metrics of one application. Where several processes share a folder, /metrics is their sum."""

    def __init__(self) -> None:
        prometheus_client.disable_created_metrics()  # a second series for each, which Prometheus itself does not need
        self.registry = registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"structbert_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str, together: Together = "livesum") -> Gauge:
            return Gauge(f"structbert_{name}", text, labels, registry=registry, multiprocess_mode=together)

        def histogram(name: str, text: str, buckets: Sequence[float], *labels: str) -> Histogram:
            return Histogram(f"structbert_{name}", text, labels, registry=registry, buckets=buckets)

        self.requests = counter("http_requests", "Requests answered", "route", "method", "status")
        self.request_seconds = histogram(
            "http_request_duration_seconds",
            "Time from a thread's taking a request, which is whole by then, to its answer",
            REQUEST_SECONDS,
            "route",
        )
        self.wait_seconds = histogram(
            "http_request_wait_seconds", "Time that a whole request waits for a thread", STAGE_SECONDS
        )
        self.in_flight = gauge("http_requests_in_flight", "Requests being handled now")
        self.refusals = counter("refusals", "Requests not answered, by the type in the error's JSON", "reason")
        self.items = counter("items", "Texts, pairs or documents in requests that were answered", "task")
        self.lookups = {
            kind: counter(f"cache_{kind}", f"Inputs {text} this tier of the cache", "model", "tier")
            for kind, text in (("hits", "found in"), ("misses", "not found in"))
        }
        self.cache_errors = counter("cache_errors", "What the shared cache's server did not do", "reason")
        for reason in FAILURES:
            self.cache_errors.labels(reason)
        self.cache_bytes = gauge("cache_bytes", "Memory of the cache, by estimate")
        self.cache_entries = gauge("cache_entries", "Inputs in the cache in memory")
        self.stage_seconds = histogram(
            "stage_duration_seconds",
            "tokenize: a call's misses; queue: each input; slot (for a free CPU) and inference: each micro-batch",
            STAGE_SECONDS,
            "stage",
            "model",
        )
        self.batch_rows = histogram("batch_rows", "Inputs in a micro-batch", ROWS, "model")
        self.batch_tokens = histogram(
            "batch_padded_tokens", "Longest times rows of a micro-batch", PADDED_TOKENS, "model"
        )
        self.tokens = counter("tokens", "Tokens taken into micro-batches, without padding", "model")
        self.exits = counter(
            "exits", "Inputs by the number of layers they passed, of a model that exits early", "model", "layer"
        )
        self.unanswered = counter("unanswered_inputs", "Inputs without an answer", "model", "reason")
        self.queue_entries = gauge("queue_entries", "Inputs waiting", "model")
        self.queue_tokens = gauge("queue_tokens", "Tokens waiting", "model")
        self.model_loaded = gauge("model_loaded", "1 when every process has it loaded", "model", together="livemin")
        self.model_info = gauge(
            "model_info", "1 for a model in use, 0 for one that was", "task", "model", "digest", together="livemax"
        )
        self._named: set[tuple[str, str, str]] = set()
        self.workers = gauge("workers", "Processes that serve")
        versions = {
            "version": __version__,
            "python_version": platform.python_version(),
            "onnxruntime_version": version("onnxruntime"),
        }
        gauge("build_info", "Always 1", *versions, together="livemax").labels(**versions).set(1)

    def name_models(self, models: Collection[tuple[str, str, str]]) -> None:
        """Tells that this process serves, and with which models from now on: task, name and digest of each."""
        self.workers.set(1)
        in_use = set(models)
        for labels in self._named - in_use:
            self.model_info.labels(*labels).set(0)  # processes that share a folder cannot take a series back
        for model in {model for _, model, _ in self._named} - {model for _, model, _ in in_use}:
            self.model_loaded.labels(model).set(0)
        for labels in in_use:
            self.model_info.labels(*labels).set(1)
            self.items.labels(labels[0])
        self._named |= in_use

    def note_cache_error(self, reason: str, number: int) -> None:
        """The shared cache's server did not do something `number` times. `reason`: one of the store's FAILURES."""
        self.cache_errors.labels(reason).inc(number)

    def observe(self, model: str) -> Observer:
        """The observer that counts for `model`."""
        return _ModelMetrics(self, model)


class _ModelMetrics(Observer):
    """Holds the series themselves: looking them up by label for each event would cost more than counting."""

    def __init__(self, metrics: Metrics, model: str) -> None:
        self._metrics, self._model = metrics, model
        self._tokenize, self._queue, self._slot, self._inference = (
            metrics.stage_seconds.labels(stage, model) for stage in STAGES
        )
        self._batch_rows = metrics.batch_rows.labels(model)
        self._batch_tokens = metrics.batch_tokens.labels(model)
        self._tokens = metrics.tokens.labels(model)
        self._unanswered = {reason: metrics.unanswered.labels(model, reason) for reason in UNANSWERED}
        self._entries_waiting = metrics.queue_entries.labels(model)
        self._tokens_waiting = metrics.queue_tokens.labels(model)
        self._loaded = metrics.model_loaded.labels(model)
        self._loaded.set(0)
        self._tiers: dict[str, tuple[Counter, Counter]] = {}
        self._tier("memory")

    def on_load(self) -> None:
        self._loaded.set(1)

    def on_lookup(self, tier: str, hits: int, misses: int) -> None:
        found, missed = self._tier(tier)
        if hits:
            found.inc(hits)
        if misses:
            missed.inc(misses)

    def on_tokenize(self, inputs: int, began: float, ended: float) -> None:
        self._tokenize.observe(ended - began)

    def on_queue(self, entries: int, tokens: int) -> None:
        self._entries_waiting.set(entries)
        self._tokens_waiting.set(tokens)

    def on_batch(self, waits: Sequence[float], tokens: int, padded_tokens: int) -> None:
        for wait in waits:
            self._queue.observe(wait)
        self._batch_rows.observe(len(waits))
        self._batch_tokens.observe(padded_tokens)
        self._tokens.inc(tokens)

    def on_run(self, slot: float, inference: float) -> None:
        self._slot.observe(slot)
        self._inference.observe(inference)

    def on_exits(self, layers: NDArray[np.int64]) -> None:
        for layer, inputs in zip(*np.unique(layers, return_counts=True), strict=True):
            self._metrics.exits.labels(self._model, str(layer)).inc(int(inputs))

    def on_unanswered(self, reason: str, entries: int) -> None:
        self._unanswered[reason].inc(entries)

    def on_cache(self, entries: int, size: int) -> None:
        self._metrics.cache_entries.set(entries)
        self._metrics.cache_bytes.set(size)

    def _tier(self, tier: str) -> tuple[Counter, Counter]:
        if tier not in self._tiers:
            hits, misses = (self._metrics.lookups[kind].labels(self._model, tier) for kind in ("hits", "misses"))
            self._tiers[tier] = hits, misses
        return self._tiers[tier]
