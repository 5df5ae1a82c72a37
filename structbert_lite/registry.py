"""The models that lay in the folder at one moment. A reload makes another set and swaps the two."""

import math
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from structbert_lite.cache.tiered import TieredCache
from structbert_lite.errors import DeadlineExceeded, InferenceFailed, NotReady, WorkerHung
from structbert_lite.inference.observer import Observer
from structbert_lite.inference.runner import Encoder, Limits
from structbert_lite.inference.slots import Slots
from structbert_lite.manifest import Manifest, read_decider, read_manifest
from structbert_lite.model_selection import choose_models
from structbert_lite.once import Once
from structbert_lite.request_context import RequestContext
from structbert_lite.settings import Settings
from structbert_lite.tasks.embedding import EmbeddingPipeline
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
WARM_UP_SECONDS = 60.0
PROBE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Shared:
    """What every set of one engine has in common. `closed` is set when the engine is closed."""

    settings: Settings
    limits: Limits
    slots: Slots
    tiers: TieredCache
    closed: threading.Event
    observe: Callable[[str], Observer]


class ModelSet:
    """The installed models: which serves what, and each one's encoder once it is loaded."""

    def __init__(self, shared: Shared, old: "ModelSet | None" = None) -> None:
        """Reads manifests and loads nothing. A model that has not changed since `old` keeps its encoder.

        Raises InvalidModel or ConfigurationError.
        """
        self.names = choose_models(shared.settings)
        folders = {name: shared.settings.models / name for name in set(self.names.values())}
        self.manifests = {name: read_manifest(folder) for name, folder in folders.items()}
        for name, folder in folders.items():
            if decider := read_decider(folder, self.manifests[name]):
                self.manifests[decider[0].name] = decider[1]
        kept = old.unchanged(self.manifests) if old else {}
        self._encoders = {
            # No method of this set: a kept encoder would keep the whole set it came from.
            name: kept.get(name) or Once(partial(_load, shared, name, manifest, shared.observe(name)))
            for name, manifest in self.manifests.items()
        }
        self.pipelines = {task: Once(partial(self._build, task, shared.settings)) for task in self.names}
        self.users = 0  # calls that are under way; the engine counts them

    @property
    def encoders(self) -> dict[str, Encoder]:
        """The loaded models by folder name."""
        return {name: once.value for name, once in self._encoders.items() if once.value is not None}

    def unchanged(self, manifests: dict[str, Manifest]) -> dict[str, Once[Encoder]]:
        """Those of this set's encoders that fit `manifests`; one that was refused gets another chance."""
        return {
            name: once
            for name, once in self._encoders.items()
            if manifests.get(name) == self.manifests[name] and not once.refusal
        }

    def load(self, names: set[str]) -> None:
        """Loads and warms the models `names` and everything that rests on them, in parallel.

        Raises InvalidModel with the file's name.
        """
        wanted = [once for task, once in self.pipelines.items() if self.names[task] in names]
        if not wanted:
            return
        with ThreadPoolExecutor(len(wanted), "loader") as pool:
            loading = [pool.submit(once.get, math.inf) for once in wanted]
        for future in loading:
            future.result()

    def ping(self) -> None:
        """Returns when every loaded model can answer. After a failed inference it proves that by another one.

        Raises NotReady without any model, when a model was refused or fails, and Overloaded.
        """
        if not self.names:
            raise NotReady("no model is installed")
        for once in (*self._encoders.values(), *self.pipelines.values()):
            if once.refusal:
                raise NotReady(once.refusal)
        for name, encoder in self.encoders.items():
            if encoder.batcher.last_run_failed:
                try:
                    encoder.probe(RequestContext.within(PROBE_SECONDS))
                except (DeadlineExceeded, InferenceFailed) as error:
                    raise NotReady(f"the model {name} fails: {error}") from None

    def check_alive(self, stuck_seconds: float) -> None:
        """Raises WorkerHung when a model's thread is gone or has been in one run for `stuck_seconds`."""
        for name, encoder in self.encoders.items():
            if encoder.batcher.lost_a_worker:
                raise WorkerHung(f"a thread of the model {name} is gone")
            if encoder.batcher.longest_run() >= stuck_seconds:
                raise WorkerHung(f"the model {name} has been in one run for more than {stuck_seconds:g} s")

    def close(self, kept_by: "ModelSet | None" = None) -> None:
        """Finishes what is queued for the loaded models, save those that `kept_by` has too."""
        kept = list(kept_by.encoders.values()) if kept_by else []
        for encoder in self.encoders.values():
            if encoder not in kept:
                encoder.close()

    def _build(self, task: str, settings: Settings) -> Any:
        encoder = self._encoders[self.names[task]].get(math.inf)
        own: dict[str, Any] = {"neutral": settings.sentiment_neutral} if task == "sentiment" else {}
        if task == "similarity" and (rule := encoder.manifest.decider):
            own["decider"] = self._encoders[rule.model].get(math.inf)
        return PIPELINES[task](encoder, settings.max_items, **own)


def _load(shared: Shared, name: str, manifest: Manifest, observer: Observer) -> Encoder:
    if shared.closed.is_set():
        raise NotReady("the server is shutting down")
    folder = shared.settings.models / name
    encoder = Encoder(folder, manifest, shared.limits, shared.tiers, shared.slots, observer)
    encoder.probe(RequestContext.within(WARM_UP_SECONDS))
    if shared.closed.is_set():  # `close` came meanwhile and could not see this one
        encoder.close()
        raise NotReady("the server is shutting down")
    observer.on_load()
    return encoder
