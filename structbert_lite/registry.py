"""The models that lay in the folder at one moment, loaded at the start or when one is first wanted."""

import math
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Generic, TypeVar

from structbert_lite.cache.tiered import TieredCache
from structbert_lite.errors import (
    DeadlineExceeded,
    InferenceFailed,
    InvalidInput,
    InvalidModel,
    NotReady,
    TaskNotAvailable,
    WorkerHung,
)
from structbert_lite.inference.admission import AdmissionController
from structbert_lite.inference.batcher import FairSemaphore
from structbert_lite.inference.bulk_runner import BulkRunner
from structbert_lite.inference.model import Model
from structbert_lite.inference.observer import Observer
from structbert_lite.inference.resources import return_free_pages, usable_cpus
from structbert_lite.inference.runner import Limits, ServingRunner
from structbert_lite.manifest import Manifest, Task, read_decider, read_manifest
from structbert_lite.model_selection import select_models
from structbert_lite.request_context import RequestContext
from structbert_lite.settings import Settings
from structbert_lite.tasks.aspects import AspectPipeline
from structbert_lite.tasks.embedding import EmbeddingPipeline
from structbert_lite.tasks.explain import ExplainPipeline
from structbert_lite.tasks.rerank import RerankPipeline
from structbert_lite.tasks.sentiment import SentimentPipeline
from structbert_lite.tasks.similarity import SimilarityPipeline
from structbert_lite.tasks.zero_shot import ZeroShotPipeline

PIPELINES = {
    "sentiment": SentimentPipeline,
    "similarity": SimilarityPipeline,
    "embedding": EmbeddingPipeline,
    "zero-shot": ZeroShotPipeline,
    "rerank": RerankPipeline,
}
# Tasks that no model is made for: what makes their pipelines of those of the tasks whose models answer them.
COMBINED: dict[str, tuple[Callable[..., Any], tuple[Task, ...]]] = {
    "aspects": (AspectPipeline, ("sentiment", "zero-shot")),
    "explain": (ExplainPipeline, ("sentiment",)),
}
NO_LIMIT = sys.maxsize
WARM_UP_SECONDS = 60.0
PROBE_SECONDS = 2.0

Value = TypeVar("Value")
LoadModel = Callable[[Path, Manifest], Model]


class Lazy(Generic[Value]):
    """A value made at the first `get`, once; who comes meanwhile waits. A refused model is refused from then on."""

    def __init__(self, make: Callable[[], Value]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self.value: Value | None = None
        self.refusal = ""

    def get(self, deadline: float = math.inf) -> Value:
        """The value. Raises DeadlineExceeded where another caller still makes it, and whatever `make` raises."""
        if self.value is not None:
            return self.value
        timeout = min(max(0.0, deadline - time.monotonic()), threading.TIMEOUT_MAX)
        if not self._lock.acquire(timeout=timeout):
            raise DeadlineExceeded("the deadline passed while the model was loading")
        try:
            return self._fill()
        finally:
            self._lock.release()

    def _fill(self) -> Value:
        if self.refusal:
            raise InvalidModel(self.refusal)
        if self.value is None:
            try:
                self.value = self._make()
            except InvalidModel as error:
                self.refusal = str(error)
                raise
        return self.value


@dataclass(frozen=True, slots=True)
class EngineContext:
    """What every registry of one engine has in common. `closed` is set when the engine is closed."""

    settings: Settings
    limits: Limits
    slots: FairSemaphore
    admission: AdmissionController
    cache: TieredCache
    closed: threading.Event
    observe: Callable[[str], Observer]
    load_model: LoadModel


class ModelRegistry:
    """The installed models: which serves what, and each one's runner once it is loaded.

    A reload makes another registry and swaps the two.
    """

    def __init__(self, context: EngineContext, previous: "ModelRegistry | None" = None) -> None:
        """Reads manifests and loads nothing. A model that has not changed since `previous` keeps its runner.

        Raises InvalidModel or ConfigurationError.
        """
        selection = select_models(context.settings)
        self.choices, self.names, self.manifests = selection.choices, selection.names, selection.manifests
        kept = previous.reusable(self.manifests) if previous else {}
        self._runners = {
            # No method of this registry: a kept runner would keep the whole registry it came from.
            name: kept.get(name) or Lazy(partial(_load, context, name, manifest, context.observe(name)))
            for name, manifest in self.manifests.items()
        }
        self._pipelines = {
            (task, name): Lazy(partial(self._build, task, name, context.settings))
            for task, names in self.choices.items()
            for name in names
        }
        for task, (_, needed) in COMBINED.items():
            if set(needed) <= self.choices.keys():
                further = chain.from_iterable(self.choices[one][1:] for one in needed)
                self.choices = self.choices | {task: tuple(dict.fromkeys((self.names[needed[0]], *further)))}
        self._combined = {
            (task, name): Lazy(partial(self._combine, task, name))
            for task in COMBINED
            for name in self.choices.get(task, ())
        }
        # Looked up by each request that names no model.
        self._defaults = {
            task: (self._combined if task in COMBINED else self._pipelines)[task, names[0]]
            for task, names in self.choices.items()
        }
        self.users = 0  # calls that are under way; the engine counts them

    def pipeline(self, task: str, model: str | None = None) -> Lazy[Any]:
        """What answers `task`, with the default model unless another is named by its folder.

        Raises TaskNotAvailable with the first task that no model is installed for, InvalidInput for an unknown name.
        """
        for needed in models_of(task):
            if needed not in self.names:
                raise TaskNotAvailable(needed)
        if model is None:
            return self._defaults[task]
        self.require_choice(task, model)
        return (self._combined if task in COMBINED else self._pipelines)[task, model]

    def require_choice(self, task: str, model: str) -> None:
        """Raises InvalidInput, with the names that there are, where no model of `task` has this one."""
        if model not in self.choices[task]:
            there = ", ".join(self.choices[task])
            raise InvalidInput(f"no {task} model has this name; there are: {there}", "model")

    @property
    def runners(self) -> dict[str, ServingRunner]:
        """The loaded models by folder name."""
        return {name: lazy.value for name, lazy in self._runners.items() if lazy.value is not None}

    def runner(self, task: str) -> ServingRunner | None:
        """The one behind a task; None where its model is not installed or not loaded."""
        lazy = self._runners.get(self.names.get(task, ""))
        return lazy.value if lazy else None

    def reusable(self, manifests: dict[str, Manifest]) -> dict[str, Lazy[ServingRunner]]:
        """Those of its runners that fit `manifests`; a model that was refused gets another chance."""
        return {
            name: lazy
            for name, lazy in self._runners.items()
            if manifests.get(name) == self.manifests[name] and not lazy.refusal
        }

    def load(self, names: set[str]) -> None:
        """Loads and warms the models `names` and everything that rests on them, in parallel.

        Raises InvalidModel with the file's name.
        """
        wanted = [lazy for (_, name), lazy in self._pipelines.items() if name in names]
        if not wanted:
            return
        with ThreadPoolExecutor(len(wanted), "loader") as pool:
            loading = [pool.submit(lazy.get) for lazy in wanted]
        for future in loading:
            future.result()

    def ping(self) -> None:
        """Returns when every loaded model can answer. After a failed inference it proves that by another one.

        Raises NotReady without any model, when a model was refused or fails, and Overloaded.
        """
        if not self.names:
            raise NotReady("no model is installed")
        for lazy in (*self._runners.values(), *self._pipelines.values()):
            if lazy.refusal:
                raise NotReady(lazy.refusal)
        for name, runner in self.runners.items():
            if runner.batcher.last_run_failed:
                try:
                    runner.probe(RequestContext.within(PROBE_SECONDS))
                except (DeadlineExceeded, InferenceFailed) as error:
                    raise NotReady(f"the model {name} fails: {error}") from None

    def check_alive(self, stuck_seconds: float) -> None:
        """Raises WorkerHung when a model's thread is gone or has been in one run for `stuck_seconds`."""
        for name, runner in self.runners.items():
            if runner.batcher.lost_a_worker:
                raise WorkerHung(f"a thread of the model {name} is gone")
            if runner.batcher.longest_run() >= stuck_seconds:
                raise WorkerHung(f"the model {name} has been in one run for more than {stuck_seconds:g} s")

    def close(self, except_shared_with: "ModelRegistry | None" = None) -> None:
        """Finishes what is queued for the loaded models, save those that the other registry has too."""
        kept = list(except_shared_with.runners.values()) if except_shared_with else []
        for runner in self.runners.values():
            if runner not in kept:
                runner.close()

    def _build(self, task: str, name: str, settings: Settings) -> Any:
        runner = self._runners[name].get()
        own: dict[str, Any] = {"neutral": settings.sentiment_neutral} if task == "sentiment" else {}
        if task == "similarity" and (rule := runner.manifest.decider):
            own["decider"] = self._runners[rule.model].get()
        return PIPELINES[task](runner, settings.max_items, **own)

    def _combine(self, task: str, name: str) -> Any:
        make, needed = COMBINED[task]
        default = name == self.choices[task][0]
        # A name stands for every needed task that its model serves; the others keep their defaults.
        chosen = ((one, self.names[one] if default or name not in self.choices[one] else name) for one in needed)
        return make(*(self._pipelines[one].get() for one in chosen))


def models_of(task: str) -> tuple[str, ...]:
    """The tasks whose models answer `task`: itself, unless it is a combined one."""
    return COMBINED[task][1] if task in COMBINED else (task,)


@contextmanager
def open_pipeline(
    task: str,
    folder: Path,
    threads: int | None = None,
    load_model: LoadModel = Model.load,
    others: Sequence[Path] = (),
) -> Iterator[Any]:
    """The pipeline that serves `task` with the model in `folder`, for jobs and studies: no cache, no queue, no limit.

    A combined task has its further models in `others`. A model's runs share `threads` CPUs, None: all that are usable.
    Raises InvalidModel, also when a model has another task.
    """
    if task in COMBINED:
        make, needed = COMBINED[task]
        with ExitStack() as stack:
            yield make(
                *(
                    stack.enter_context(open_pipeline(one, path, threads, load_model))
                    for one, path in zip(needed, (folder, *others), strict=True)
                )
            )
        return
    manifest = read_manifest(folder)
    if task not in manifest.tasks:
        raise InvalidModel(f"{folder} is a {' and '.join(manifest.tasks)} model, not one for {task}")
    decider = read_decider(folder, manifest) if task == "similarity" else None
    threads = threads or usable_cpus()
    runners = [BulkRunner(load_model(*found), threads) for found in ((folder, manifest), decider) if found]
    try:
        yield PIPELINES[task](runners[0], NO_LIMIT, *runners[1:])
    finally:
        for runner in runners:
            runner.close()


def _load(context: EngineContext, name: str, manifest: Manifest, observer: Observer) -> ServingRunner:
    if context.closed.is_set():
        raise NotReady("the server is shutting down")
    model = context.load_model(context.settings.models / name, manifest)
    runner = ServingRunner(model, context.limits, context.cache, context.slots, observer, context.admission)
    runner.probe(RequestContext.within(WARM_UP_SECONDS))
    return_free_pages()  # reading a graph takes as much again
    if context.closed.is_set():  # `close` came meanwhile and could not see this one
        runner.close()
        raise NotReady("the server is shutting down")
    observer.on_load()
    return runner
