"""Builds the pipelines once and routes each task to its own."""

import threading
import time

from structbert_lite.errors import NotReady, TaskNotAvailable, TooManyItems
from structbert_lite.installed import choose_models
from structbert_lite.manifest import Manifest, read_manifest
from structbert_lite.pipelines.sentiment import SentimentPipeline
from structbert_lite.results import Classification
from structbert_lite.runtime.cpu import usable_cpus
from structbert_lite.runtime.encoder import Encoder, Limits
from structbert_lite.settings import Settings

PIPELINES = {"sentiment": SentimentPipeline}
WARM_UP_SECONDS = 60.0
PROBE_SECONDS = 2.0


class Engine:
    """All loaded models. Make it in the serving process, never before a fork."""

    def __init__(self, settings: Settings) -> None:
        """Loads and warms every installed task's model. Raises ModelRefused with the file's name."""
        self._max_items = settings.max_items
        self._draining = threading.Event()
        limits = Limits(
            threads=settings.threads or usable_cpus(),
            max_batch=settings.max_batch,
            batch_tokens=settings.batch_tokens,
            queue_tokens=settings.queue_tokens,
            cache_bytes=settings.cache_mb << 20,
        )
        self._pipelines = {}
        for task, name in choose_models(settings).items():
            folder = settings.models / name
            encoder = Encoder(folder, read_manifest(folder), limits)
            encoder.probe(time.monotonic() + WARM_UP_SECONDS)
            self._pipelines[task] = PIPELINES[task](encoder)

    def predict(self, task: str, texts: list[str], deadline: float) -> list[Classification]:
        """Results of `task` for each text, by `deadline`, an instant of time.monotonic.

        Raises TaskNotAvailable, TooManyItems, InvalidInput, NotReady, Overloaded, DeadlineExceeded
        or InferenceFailed.
        """
        pipeline = self._pipeline(task)
        if len(texts) > self._max_items:
            raise TooManyItems(f"{len(texts)} texts in one request, the limit is {self._max_items}", "texts")
        return pipeline.predict(texts, deadline)

    def manifest(self, task: str) -> Manifest:
        """Facts about the model that serves `task`. Raises TaskNotAvailable."""
        return self._pipeline(task).encoder.manifest

    @property
    def encoders(self) -> dict[str, Encoder]:
        """The encoder behind each task, for reading its counters."""
        return {task: pipeline.encoder for task, pipeline in self._pipelines.items()}

    def ping(self) -> None:
        """Returns when every model can answer. After a failed inference it proves that by another one.

        Raises NotReady when draining, without any model, or when a model's threads are gone; raises as `predict` does.
        """
        if self._draining.is_set():
            raise NotReady("the server is shutting down")
        if not self._pipelines:
            raise NotReady("no model is installed")
        for task, encoder in self.encoders.items():
            if not encoder.batcher.alive:
                raise NotReady(f"the {task} model no longer answers")
            if encoder.batcher.last_run_failed:
                encoder.probe(time.monotonic() + PROBE_SECONDS)

    def drain(self) -> None:
        """From now on `ping` says not ready; requests are still answered."""
        self._draining.set()

    def close(self) -> None:
        """Finishes what is queued; later calls raise NotReady."""
        self.drain()
        for encoder in self.encoders.values():
            encoder.close()

    def _pipeline(self, task: str) -> SentimentPipeline:
        if task not in self._pipelines:
            raise TaskNotAvailable(task)
        return self._pipelines[task]
