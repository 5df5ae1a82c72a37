"""A model behind a cache, a single flight and a batcher: what answers requests."""

import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from operator import attrgetter
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from structbert_lite.cache.memory import ModelOutput, make_key
from structbert_lite.cache.tiered import TieredCache
from structbert_lite.inference.admission import AdmissionController
from structbert_lite.inference.batcher import NO_LIMIT, Batcher, FairSemaphore
from structbert_lite.inference.entry_queue import Entry
from structbert_lite.inference.model import Input, Model
from structbert_lite.inference.observer import Observer
from structbert_lite.inference.tokenizer import Encoding, Tokenizer
from structbert_lite.manifest import Manifest
from structbert_lite.request_context import NotInMemory, RequestContext

FEW_INPUTS = 16  # that are looked up in an event loop
NEWEST = 0.1  # weight of the newest run in the mean: a slow one alone does not tell much


class ModelRunner(Protocol):
    """What a pipeline asks for a model's outputs, however they come about."""

    folder: Path
    manifest: Manifest
    tokenizer: Tokenizer

    def run(
        self, inputs: Sequence[Input], context: RequestContext, all_layers: bool = False, read_once: bool = False
    ) -> list[ModelOutput]:
        """The model's output for each input, in order.

        With `all_layers` none leaves the model early: outputs of different layers are good for an answer, and no
        measure of how far two inputs differ. With `read_once` a model made for that reads the first of each pair
        once for all that stand behind it, and those do not change what it makes of it.
        """


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one model's threads and queue; see Settings for the meaning of each."""

    threads: int
    max_batch: int
    batch_tokens: int
    queue_tokens: int
    queue_seconds: float = NO_LIMIT


class TokenRate:
    """Seconds that a padded token takes: an exponentially weighted mean over the runs; 0 until the first one."""

    def __init__(self) -> None:
        self.seconds_per_token = 0.0

    def record(self, tokens: int, seconds: float) -> None:
        """One run over `tokens` padded tokens took `seconds`. Threads may overwrite each other's: it is an estimate."""
        newest = seconds / tokens
        before = self.seconds_per_token or newest
        self.seconds_per_token = before + NEWEST * (newest - before)


class ServingRunner:
    """Computes what the cache does not have, identical inputs once. All models share `cache` and `slots`."""

    def __init__(
        self,
        model: Model,
        limits: Limits,
        cache: TieredCache,
        slots: FairSemaphore,
        observer: Observer | None = None,
        admission: AdmissionController | None = None,
    ) -> None:
        self.model = model
        self.folder, self.manifest, self.tokenizer = model.folder, model.manifest, model.tokenizer
        self._fingerprints = {flags: model.fingerprint(*flags) for flags in product((False, True), repeat=2)}
        self._cache = cache
        self._slots = slots
        self._observer = observer or Observer()
        self._threads = limits.threads
        self._rate = TokenRate()
        self.batcher = Batcher(
            self._infer,
            limits.threads,
            limits.max_batch,
            limits.batch_tokens,
            limits.queue_tokens,
            self._observer,
            limits.queue_seconds,
            admission,
        )
        self._in_flight: dict[bytes, Entry] = {}
        self._lock = threading.Lock()

    def run(
        self, inputs: Sequence[Input], context: RequestContext, all_layers: bool = False, read_once: bool = False
    ) -> list[ModelOutput]:
        """As ModelRunner's.

        Raises Overloaded, NotReady, DeadlineExceeded, ClientDisconnected or InferenceFailed; NotInMemory where the
        context wants that.
        """
        keys = [self.key(fields, all_layers, read_once) for fields in inputs]
        if context.deferred is not None:
            return self._look_up(keys, context.deferred)
        rows = self._cache.get_many(dict.fromkeys(keys), self.model.width, context.deadline, self._observer.on_lookup)
        missing = {key: fields for key, fields in zip(keys, inputs, strict=True) if key not in rows}
        if missing:
            rows |= self._compute(missing, context, all_layers, read_once)
        return [rows[key] for key in keys]

    def key(self, fields: Input, all_layers: bool = False, read_once: bool = False) -> bytes:
        """Under which name the cache keeps the output of an input."""
        return make_key(self._fingerprints[all_layers, read_once], fields)

    def probe(self, context: RequestContext) -> None:
        """Runs one short input through the model, past the cache. Raises as `run` does."""
        entry = Entry(self.model.short_input(), context.deadline)
        self.batcher.add([entry])
        try:
            self.batcher.wait(entry, context)
        finally:
            self.batcher.record_answer()

    def close(self) -> None:
        """Finishes what is queued; later calls raise NotReady."""
        self.batcher.close()

    def _infer(self, encodings: list[Encoding]) -> NDArray[np.float32]:
        """float32 [len(encodings), width], by a thread of the batcher."""
        asked = time.monotonic()
        with self._slots:
            began = time.monotonic()
            try:
                return self.model.infer(encodings, self._observer.on_exits)
            finally:
                seconds = time.monotonic() - began
                self._observer.on_run(began - asked, seconds)
                prefixes = sum(encoding.cost - len(encoding) for encoding in encodings)
                self._rate.record(max(map(len, encodings)) * len(encodings) + prefixes, seconds)

    def _look_up(self, keys: list[bytes], deferred: list[Callable[[], None]]) -> list[ModelOutput]:
        """What an event loop may do: find a few outputs in memory."""
        different = dict.fromkeys(keys)
        rows = self._cache.memory.get_all(different) if len(keys) <= FEW_INPUTS else None
        if rows is None:
            raise NotInMemory
        deferred.append(partial(self._observer.on_lookup, "memory", len(rows), 0))
        found = dict(zip(different, rows, strict=True))
        return [found[key] for key in keys]

    def _compute(
        self, missing: dict[bytes, Input], context: RequestContext, all_layers: bool, read_once: bool
    ) -> dict[bytes, ModelOutput]:
        context.check_connected()  # the request may have waited long before it came here
        began = time.monotonic()
        tokenized = self.model.tokenize(list(missing.values()), all_layers, read_once)
        encodings = dict(zip(missing, tokenized, strict=True))
        asked = time.monotonic()
        self._observer.on_tokenize(len(encodings), began, asked)
        leases = self._cache.acquire_leases(self._estimate(encodings), context.deadline)
        entries: dict[bytes, Entry] = {}
        calls: list[list[Entry]] = []  # what was queued together
        try:
            ours = {key: encoding for key, encoding in encodings.items() if key not in leases.elsewhere}
            entries = self._submit(ours, context.deadline, calls)
            rows = self._cache.wait(leases.elsewhere, self.model.width, context)
            left = {key: encodings[key] for key in leases.elsewhere if key not in rows}
            if left:
                context.check_connected()
                entries |= self._submit(left, context.deadline, calls)
            return rows | {
                key: ModelOutput(self.batcher.wait(entry, context), entry.encoding.truncated)
                for key, entry in entries.items()
            }
        except Exception:
            self._cache.release(leases)
            raise
        finally:
            for entry in entries.values():
                self.batcher.remove_waiter(entry)
            for _ in calls:
                self.batcher.record_answer()
            if entries:
                self._record(entries.values(), asked)

    def _estimate(self, encodings: dict[bytes, Encoding]) -> dict[bytes, float]:
        """Seconds that each takes beside the others, as far as this process does not compute it already."""
        with self._lock:
            new = encodings.keys() - self._in_flight.keys()
        share = self._rate.seconds_per_token / min(self._threads, len(new) or 1)
        return {key: encodings[key].cost * share for key in new}

    def _submit(
        self, encodings: dict[bytes, Encoding], deadline: float, calls: list[list[Entry]]
    ) -> dict[bytes, Entry]:
        """An entry for each key: the one on its way where there is one (single flight), else a new one, queued.

        Adds the new ones, if there are any, to `calls`.
        """
        with self._lock:
            entries, new = {}, {}
            for key, encoding in encodings.items():
                entry = self._in_flight.get(key)
                if entry is None or not self.batcher.add_waiter(entry, deadline):
                    entry = new[key] = Entry(encoding, deadline, on_done=partial(self._complete, key))
                entries[key] = entry
            try:
                if new:
                    self.batcher.add(list(new.values()))
                    calls.append(list(new.values()))
            except Exception:
                for key in entries.keys() - new.keys():
                    self.batcher.remove_waiter(entries[key])
                raise
            self._in_flight |= new
            return entries

    def _complete(self, key: bytes, entry: Entry) -> None:
        """Called by a worker when an entry is done: keeps its row and forgets the entry."""
        if entry.row is not None:
            self._cache.put(key, ModelOutput(entry.row, entry.encoding.truncated))
            self._observer.on_cache(len(self._cache.memory), self._cache.memory.size)
        with self._lock:
            if self._in_flight.get(key) is entry:
                del self._in_flight[key]

    def _record(self, entries: Collection[Entry], asked: float) -> None:
        # An entry may have been on its way before this call asked for it, and go on after the call gave up.
        now = time.monotonic()
        queued, began = (min(map(attrgetter(name), entries)) for name in ("queued", "began"))
        ended = max(map(attrgetter("ended"), entries))
        self._observer.on_answer(len(entries), *(min(max(i, asked), now) for i in (queued, began, ended)))
