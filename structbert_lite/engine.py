"""Builds the pipelines once, routes each task to its own, and swaps them when the models on disk have changed."""

import math
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from structbert_lite.cache.memory import MemoryCache
from structbert_lite.cache.shared import SharedCache
from structbert_lite.cache.tiered import TieredCache, open_store
from structbert_lite.errors import NotReady, TaskNotAvailable
from structbert_lite.inference.admission import AdmissionController
from structbert_lite.inference.batcher import Batcher, FairSemaphore
from structbert_lite.inference.model import Model
from structbert_lite.inference.observer import Observer
from structbert_lite.inference.prepacked import PrepackedGraphs
from structbert_lite.inference.resources import trim_heap, usable_cpus
from structbert_lite.inference.runner import Limits, ServingRunner
from structbert_lite.inference.tokenizer import Token
from structbert_lite.manifest import Manifest
from structbert_lite.model_selection import check_models
from structbert_lite.registry import EngineContext, Lazy, LoadModel, ModelRegistry
from structbert_lite.request_context import NotInMemory, RequestContext
from structbert_lite.settings import Settings


@dataclass(frozen=True, slots=True)
class EngineHooks:
    """What an engine calls, for whoever counts and traces.

    `observe` gives the observer of a model by its folder's name; `on_predict` is told the task and the number of inputs
    of each call of `predict`; `on_cache_error` why and how often the shared cache's server failed; `on_models` task,
    name and digest of every model in use, after `load` and whenever a reload has replaced one.
    """

    observe: Callable[[str], Observer] = lambda model: Observer()
    on_predict: Callable[[str, int], None] = lambda task, inputs: None
    on_cache_error: Callable[[str, int], None] = lambda reason, number: None
    on_models: Callable[[Collection[tuple[str, str, str]]], None] = lambda models: None


class Engine:
    """All installed models. Make it in the serving process, never before a fork."""

    def __init__(
        self,
        settings: Settings,
        hooks: EngineHooks | None = None,
        wait: bool = True,
        load_model: LoadModel | None = None,
    ) -> None:
        """Reads the manifests of the installed models, and does what `load` does where it should `wait` for that.

        Without `load_model` they are loaded with the weights that processes share, where the settings allow that.

        Raises InvalidModel with the file's name, and ConfigurationError, also for a Redis that cannot be used at all.
        """
        self._settings = settings
        self._hooks = hooks or EngineHooks()
        self._loaded = self._draining = False
        self._swap = threading.Condition()
        self._reloading = threading.Lock()
        threads = settings.threads or max(1, usable_cpus() // settings.workers)
        limits = Limits(
            threads,
            settings.max_batch,
            settings.batch_tokens,
            settings.queue_tokens,
            settings.queue_ms / 1000,
        )
        shared_cache = _make_shared(settings, self._hooks.on_cache_error)
        self.cache = TieredCache(MemoryCache(settings.cache_mb << 20), shared_cache)
        self._closed = threading.Event()
        # One observer a model, however often it is loaded: what it counts goes on.
        observe = cache(self._hooks.observe)
        self.admission = AdmissionController()
        self.max_items = settings.max_items
        if load_model is None:
            folder = settings.prepacked_folder
            graphs = PrepackedGraphs(folder) if folder else None
            load_model = partial(
                Model.load,
                prepacked=graphs,
                early_exit=settings.early_exit,
                prefix_bytes=settings.prefix_bytes,
            )
        self._context = EngineContext(
            settings, limits, FairSemaphore(threads), self.admission, self.cache, self._closed, observe, load_model
        )
        self._models = ModelRegistry(self._context)
        if wait:
            self.load()

    def load(self) -> None:
        """Loads and warms every installed model, or only checks their digests where the settings say `lazy`.

        Until it is done, `ping` and `predict` raise NotReady. Raises InvalidModel with the file's name.
        """
        if self._loaded:
            return
        if self._settings.load == "lazy":
            check_models(self._settings)
        else:
            try:
                self._models.load(set(self._models.manifests))
            except BaseException:
                self.close()
                raise
        self._loaded = True
        self._report_models()

    def predict(
        self, task: str, inputs: list[Any], context: RequestContext, model: str | None = None, **options: Any
    ) -> list[Any]:
        """Results of `task` within `context`: what the `predict` of a pipeline returns, of the default model's or of
        that of the `model` with this folder name.

        | task | inputs | options | results |
        |---|---|---|---|
        | sentiment | texts | neutral | Classification, one an input |
        | similarity | pairs of texts | | Similarity, one an input |
        | embedding | texts | normalize, blank | Embedding, one an input |
        | zero-shot | texts | labels, multi_label, hypothesis_template, none | ZeroShot, one an input |
        | rerank | documents | query, top_n | Ranked, best first |
        | aspects | texts | aspects, domain | AspectOpinions, one an input |
        | explain | texts | neutral | Explanation, one an input |

        Raises TaskNotAvailable, TooManyItems, InvalidInput, NotReady, Overloaded, DeadlineExceeded, InferenceFailed,
        and InvalidModel where the model is loaded by this very call; NotInMemory where the context wants that.
        """
        with self._pipeline(task, model) as pipeline:
            if context.deferred is not None and pipeline.value is None:
                raise NotInMemory
            self._hooks.on_predict(task, len(inputs))
            results: list[Any] = pipeline.get(context.deadline).predict(inputs, context, **options)
            return results

    def count_tokens(self, task: str, inputs: list[Any], model: str | None = None, **options: Any) -> int:
        """Tokens that the model reads for such inputs of `embedding` or `rerank`, whether they are cached or not.

        Options as for `predict`, of rerank only `query`. Raises TaskNotAvailable and NotReady, and as loading one does.
        """
        with self._pipeline(task, model) as pipeline:
            tokens: int = pipeline.get(math.inf).count_tokens(inputs, **options)
            return tokens

    def tokenize(self, task: str, texts: list[str], special: bool = True) -> list[list[Token]]:
        """The tokens of each text to the model of `task`. Raises TaskNotAvailable and NotReady, as loading one does."""
        with self._pipeline(task) as pipeline:
            tokenizer = pipeline.get(math.inf).runner.tokenizer
            return [tokenizer.tokens(text, special) for text in texts]

    @property
    def names(self) -> dict[str, str]:
        """Folder name of the default model behind each task that can be served."""
        return dict(self._models.names)

    def choices(self, task: str) -> tuple[str, ...]:
        """Folder names of the models that a request for `task` may name, the default one first.

        Of a combined task the first is that of the first task whose model it needs, and names the defaults of all of
        them; the others are the alternatives of each. Empty where the task cannot be served.
        """
        return self._models.choices.get(task, ())

    def manifest(self, task: str, model: str | None = None) -> Manifest:
        """Facts about the model that serves `task`, loaded or not. Raises TaskNotAvailable, and InvalidInput."""
        models = self._models
        if task not in models.names:
            raise TaskNotAvailable(task)
        if model is not None:
            models.require_choice(task, model)
        return models.manifests[model or models.names[task]]

    @property
    def runners(self) -> dict[str, ServingRunner]:
        """The loaded models by folder name, for reading their counters."""
        return self._models.runners

    def batcher(self, task: str) -> Batcher | None:
        """The queue that requests for `task` come to; None where its model is not there or not loaded."""
        runner = self._models.runner(task)
        return runner.batcher if runner else None

    def ping(self) -> None:
        """Returns when every loaded model can answer. After a failed inference it proves that by another one.

        Raises NotReady while loading, when draining, without any model, and when a model was refused or fails;
        WorkerHung as `check_alive` does; Overloaded.
        """
        if self._draining:
            raise NotReady("the server is shutting down")
        if not self._loaded:
            raise NotReady("the models are still being loaded")
        self.check_alive()
        with self._lease() as models:
            models.ping()

    def check_alive(self) -> None:
        """Raises WorkerHung when only a new process can help: a model's thread is gone, or in one run for too long."""
        self._models.check_alive(self._settings.stuck_seconds)

    def reload(self) -> list[str]:
        """Takes up what lies in the folder of models now, and returns the names of the models that it loaded for that.

        Changed models are loaded beside the old ones, which serve until the swap and finish what they began. A model
        whose files are the same stays. One that no request has wanted yet stays unloaded where models load lazily.
        Raises InvalidModel with the file's name, ConfigurationError or NotReady; then nothing has changed.
        """
        with self._reloading:
            try:
                return self._reload()
            finally:
                trim_heap()  # two sets of models were there, one is left

    def drain(self) -> None:
        """From now on `ping` says not ready; requests are still answered. Safe to call in a signal handler."""
        self._draining = True

    def close(self) -> None:
        """Finishes what is queued; later calls raise NotReady."""
        self.drain()
        with self._swap:
            self._closed.set()
        self._models.close()
        self.cache.close()

    @contextmanager
    def _pipeline(self, task: str, model: str | None = None) -> Iterator[Lazy[Any]]:
        """The pipeline of `task`, in use until the block ends. Raises TaskNotAvailable, InvalidInput or NotReady."""
        with self._lease() as models:
            pipeline = models.pipeline(task, model)
            if not self._loaded:
                raise NotReady("the models are still being loaded")
            yield pipeline

    @contextmanager
    def _lease(self) -> Iterator[ModelRegistry]:
        """The registry to use, not closed by a reload before the block ends."""
        with self._swap:
            models = self._models
            models.users += 1
        try:
            yield models
        finally:
            with self._swap:
                models.users -= 1
                self._swap.notify_all()

    def _reload(self) -> list[str]:
        if not self._loaded:
            raise NotReady("the models are still being loaded")
        check_models(self._settings)
        old, new = self._models, ModelRegistry(self._context, self._models)
        lazy = self._settings.load == "lazy"
        changed = new.manifests.keys() - old.reusable(new.manifests).keys()
        wanted = changed & old.runners.keys() if lazy else changed
        try:
            new.load(wanted if lazy else set(new.manifests))
            self._replace(new)
        except BaseException:
            new.close(except_shared_with=old)
            raise
        self._report_models()
        old.close(except_shared_with=new)
        return sorted(wanted)

    def _report_models(self) -> None:
        models = self._models
        self._hooks.on_models(
            [(task, name, models.manifests[name].digest) for task in models.names for name in models.choices[task]]
        )

    def _replace(self, new: ModelRegistry) -> None:
        """Every later call uses `new`; returns when no call uses the old registry any more."""
        with self._swap:
            if self._closed.is_set():
                raise NotReady("the server is shutting down")
            old, self._models = self._models, new
            self._swap.wait_for(lambda: not old.users)


def _make_shared(settings: Settings, on_error: Callable[[str, int], None]) -> SharedCache | None:
    timeout = settings.redis_timeout_ms / 1000
    store = open_store(settings.redis_url, timeout)
    return SharedCache(store, settings.redis_ttl_s, timeout, on_error=on_error) if store else None
