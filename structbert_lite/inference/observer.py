"""What the runtime tells about its work, to whoever listens. By itself nobody does."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class Observer:
    """Told what one model's runner and batcher do; this one does nothing with it.

    Called by request threads and by the batcher's, some of it inside a lock: a method must be quick, safe to call from
    several threads, and must not raise. Instants are those of time.monotonic, durations are seconds.
    """

    def on_load(self) -> None:
        """The model is loaded and warm."""

    def on_lookup(self, tier: str, hits: int, misses: int) -> None:
        """Different inputs of one call were looked up in a tier of the cache."""

    def on_tokenize(self, inputs: int, began: float, ended: float) -> None:
        """One call's misses were tokenized, in the thread of the request."""

    def on_queue(self, entries: int, tokens: int) -> None:
        """So much waits now."""

    def on_batch(self, waits: Sequence[float], tokens: int, padded_tokens: int) -> None:
        """A micro-batch was taken from the queue; `waits`: how long each of its entries was in it."""

    def on_run(self, slot: float, inference: float) -> None:
        """A micro-batch was run: time until a CPU was free for this model, then time in the model."""

    def on_exits(self, layers: NDArray[np.int64]) -> None:
        """A micro-batch of a model that exits early was run: after how many layers each of its rows left."""

    def on_unanswered(self, reason: str, entries: int) -> None:
        """Entries that get no row. `reason`: refused (the queue is full), expired (nobody waits) or failed."""

    def on_answer(self, inputs: int, queued: float, began: float, ended: float) -> None:
        """One call's misses were answered, or not, in the thread of the request.

        `queued`, `began`, `ended`: the first was queued, the first was taken from the queue, the last was done.
        """

    def on_cache(self, entries: int, size: int) -> None:
        """What the cache in memory, which all models share, holds now; `size` in bytes."""


class Observers(Observer):
    """Tells each of several observers."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def on_load(self) -> None:
        for observer in self._observers:
            observer.on_load()

    def on_lookup(self, tier: str, hits: int, misses: int) -> None:
        for observer in self._observers:
            observer.on_lookup(tier, hits, misses)

    def on_tokenize(self, inputs: int, began: float, ended: float) -> None:
        for observer in self._observers:
            observer.on_tokenize(inputs, began, ended)

    def on_queue(self, entries: int, tokens: int) -> None:
        for observer in self._observers:
            observer.on_queue(entries, tokens)

    def on_batch(self, waits: Sequence[float], tokens: int, padded_tokens: int) -> None:
        for observer in self._observers:
            observer.on_batch(waits, tokens, padded_tokens)

    def on_run(self, slot: float, inference: float) -> None:
        for observer in self._observers:
            observer.on_run(slot, inference)

    def on_exits(self, layers: NDArray[np.int64]) -> None:
        for observer in self._observers:
            observer.on_exits(layers)

    def on_unanswered(self, reason: str, entries: int) -> None:
        for observer in self._observers:
            observer.on_unanswered(reason, entries)

    def on_answer(self, inputs: int, queued: float, began: float, ended: float) -> None:
        for observer in self._observers:
            observer.on_answer(inputs, queued, began, ended)

    def on_cache(self, entries: int, size: int) -> None:
        for observer in self._observers:
            observer.on_cache(entries, size)
