"""Builds the pipelines once and routes each task to its own."""

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from structbert_lite.errors import NotReady, TaskNotAvailable
from structbert_lite.installed import check_models, choose_models
from structbert_lite.manifest import Manifest, read_manifest
from structbert_lite.once import Once
from structbert_lite.pipelines.embedding import EmbeddingPipeline
from structbert_lite.pipelines.rerank import RerankPipeline
from structbert_lite.pipelines.sentiment import SentimentPipeline
from structbert_lite.pipelines.similarity import SimilarityPipeline
from structbert_lite.pipelines.zero_shot import ZeroShotPipeline
from structbert_lite.runtime.cache import Cache
from structbert_lite.runtime.cpu import usable_cpus
from structbert_lite.runtime.encoder import Encoder, Limits
from structbert_lite.runtime.observer import Observer
from structbert_lite.runtime.shared_cache import SharedCache
from structbert_lite.runtime.slots import Slots
from structbert_lite.runtime.tiers import Tiers, make_store
from structbert_lite.settings import Settings

PIPELINES = {
    "sentiment": SentimentPipeline,
    "similarity": SimilarityPipeline,
    "embedding": EmbeddingPipeline,
    "zero-shot": ZeroShotPipeline,
    "rerank": RerankPipeline,
}
WARM_UP_SECONDS = 60.0
PROBE_SECONDS = 2.0


class Engine:
    """All installed models. Make it in the serving process, never before a fork."""

    def __init__(
        self,
        settings: Settings,
        observe: Callable[[str], Observer] = lambda model: Observer(),
        on_ask: Callable[[str, int], None] = lambda task, inputs: None,
        on_cache_error: Callable[[str, int], None] = lambda reason, number: None,
    ) -> None:
        """Loads and warms every installed model, or only checks their digests where the settings say `lazy`.

        `observe` gives the observer of a model by its folder's name; `on_ask` is told the task and the number of inputs
        of each call of `predict`; `on_cache_error` why and how often the shared cache's server failed.
        Raises ModelRefused with the file's name, and BadSettings for a Redis that cannot be used at all.
        """
        self._settings = settings
        self._observe, self._on_ask = observe, on_ask
        self._draining, self._closed = threading.Event(), threading.Event()
        threads = settings.threads or max(1, usable_cpus() // settings.workers)
        self._limits = Limits(threads, settings.max_batch, settings.batch_tokens, settings.queue_tokens)
        self._slots = Slots(threads)
        self.cache = Cache(settings.cache_mb << 20)
        self.tiers = Tiers(self.cache, _make_shared(settings, on_cache_error))
        self._names = choose_models(settings)
        self._manifests = {name: read_manifest(settings.models / name) for name in set(self._names.values())}
        self._encoders = {name: Once(partial(self._load, name)) for name in self._manifests}
        self._pipelines = {task: Once(partial(self._build, task)) for task in self._names}
        if settings.load == "lazy":
            check_models(settings)
        elif self._pipelines:
            self._load_all()

    def predict(self, task: str, inputs: list, deadline: float, **options: Any) -> list:
        """Results of `task` by `deadline`, an instant of time.monotonic: what its pipeline's `predict` returns.

        | task | inputs | options | results |
        |---|---|---|---|
        | sentiment | texts | | Classification, one an input |
        | similarity | pairs of texts | | Similarity, one an input |
        | embedding | texts | normalize | Embedding, one an input |
        | zero-shot | texts | labels, multi_label, hypothesis_template | ZeroShot, one an input |
        | rerank | documents | query, top_n | Ranked, best first |

        Raises TaskNotAvailable, TooManyItems, InvalidInput, NotReady, Overloaded, DeadlineExceeded, InferenceFailed,
        and ModelRefused where the model is loaded by this very call.
        """
        self._name(task)
        self._on_ask(task, len(inputs))
        return self._pipelines[task].get(deadline).predict(inputs, deadline, **options)

    def count_tokens(self, task: str, inputs: list, **options: Any) -> int:
        """Tokens that the model reads for such inputs of `embedding` or `rerank`, whether they are cached or not.

        Options as for `predict`, of rerank only `query`. Raises TaskNotAvailable, and as loading a model does.
        """
        self._name(task)
        return self._pipelines[task].get(math.inf).count_tokens(inputs, **options)

    @property
    def names(self) -> dict[str, str]:
        """Folder name of the model behind each task that can be served."""
        return dict(self._names)

    def manifest(self, task: str) -> Manifest:
        """Facts about the model that serves `task`, loaded or not. Raises TaskNotAvailable."""
        return self._manifests[self._name(task)]

    @property
    def encoders(self) -> dict[str, Encoder]:
        """The loaded models by folder name, for reading their counters."""
        return {name: once.value for name, once in self._encoders.items() if once.value is not None}

    def ping(self) -> None:
        """Returns when every loaded model can answer. After a failed inference it proves that by another one.

        Raises NotReady when draining, without any model, or when a model was refused or its threads are gone; raises
        as `predict` does.
        """
        if self._draining.is_set():
            raise NotReady("the server is shutting down")
        if not self._names:
            raise NotReady("no model is installed")
        for once in (*self._encoders.values(), *self._pipelines.values()):
            if once.refusal:
                raise NotReady(once.refusal)
        for name, encoder in self.encoders.items():
            if not encoder.batcher.alive:
                raise NotReady(f"the model {name} no longer answers")
            if encoder.batcher.last_run_failed:
                encoder.probe(time.monotonic() + PROBE_SECONDS)

    def drain(self) -> None:
        """From now on `ping` says not ready; requests are still answered."""
        self._draining.set()

    def close(self) -> None:
        """Finishes what is queued; later calls raise NotReady."""
        self.drain()
        self._closed.set()
        for encoder in self.encoders.values():
            encoder.close()
        self.tiers.close()

    def _name(self, task: str) -> str:
        if task not in self._names:
            raise TaskNotAvailable(task)
        return self._names[task]

    def _load_all(self) -> None:
        with ThreadPoolExecutor(len(self._pipelines), "loader") as pool:
            loading = [pool.submit(once.get, math.inf) for once in self._pipelines.values()]
        try:
            for future in loading:
                future.result()
        except BaseException:
            self.close()
            raise

    def _load(self, name: str) -> Encoder:
        if self._closed.is_set():
            raise NotReady("the server is shutting down")
        folder = self._settings.models / name
        observer = self._observe(name)
        encoder = Encoder(folder, self._manifests[name], self._limits, self.tiers, self._slots, observer)
        encoder.probe(time.monotonic() + WARM_UP_SECONDS)
        if self._closed.is_set():  # `close` came meanwhile and could not see this one
            encoder.close()
            raise NotReady("the server is shutting down")
        observer.on_load()
        return encoder

    def _build(self, task: str) -> Any:
        encoder = self._encoders[self._names[task]].get(math.inf)
        return PIPELINES[task](encoder, self._settings.max_items)


def _make_shared(settings: Settings, on_error: Callable[[str, int], None]) -> SharedCache | None:
    timeout = settings.redis_timeout_ms / 1000
    store = make_store(settings.redis_url, timeout)
    return SharedCache(store, settings.redis_ttl_s, timeout, on_error=on_error) if store else None
