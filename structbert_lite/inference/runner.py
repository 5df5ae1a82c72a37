"""Inputs to rows: cache look-up, tokenization of the misses, one computation for identical inputs."""

import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from structbert_lite import __version__
from structbert_lite.cache.memory import ModelOutput, make_key
from structbert_lite.cache.tiered import TieredCache
from structbert_lite.errors import InvalidModel
from structbert_lite.inference.batcher import NO_LIMIT, Batcher
from structbert_lite.inference.entry_queue import Entry
from structbert_lite.inference.model import RUNTIME, Session
from structbert_lite.inference.observer import Observer
from structbert_lite.inference.pace import Pace
from structbert_lite.inference.pooling import pool
from structbert_lite.inference.slots import Slots
from structbert_lite.inference.tokenizer import Encoding, Tokenizer
from structbert_lite.manifest import MODEL_NAME, TOKENIZER_NAME, Manifest, check_files
from structbert_lite.request_context import RequestContext

# What a model reads at once: a text, or a pair of texts.
Input = tuple[str] | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one model's threads and queue; see Settings for the meaning of each."""

    threads: int
    max_batch: int
    batch_tokens: int
    queue_tokens: int
    queue_seconds: float = NO_LIMIT


class Encoder:
    """One loaded model: a row of logits or a vector for each input. All models share `cache` and `slots`."""

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        limits: Limits,
        cache: TieredCache,
        slots: Slots,
        observer: Observer | None = None,
    ) -> None:
        """Checks the files' digests, loads them and runs the model once.

        Raises InvalidModel with the file's name.
        """
        check_files(folder, manifest)
        self.folder = folder
        self.manifest = manifest
        self.tokenizer = Tokenizer(folder / TOKENIZER_NAME, manifest.max_tokens)
        self.hits = self.misses = 0
        # Everything that decides a row: two folders may hold the same files and differ in these, and the replicas that
        # share a cache may run different versions.
        self._digest = f"{__version__} {RUNTIME} {manifest.digest} {manifest.max_tokens} {manifest.pooling}"
        self._cache = cache
        self._slots = slots
        self._observer = observer or Observer()
        self._threads = limits.threads
        self._pace = Pace()
        # A manifest that says encoder has both of these.
        self._pooling, dimensions = (
            (manifest.pooling, manifest.dimensions) if manifest.kind == "encoder" else (None, None)
        )
        self._width = dimensions or len(manifest.labels) or 1
        self._session = Session(folder / MODEL_NAME, manifest.inputs, manifest.pad_id)
        self._check_width()
        self.batcher = Batcher(
            self._run,
            limits.threads,
            limits.max_batch,
            limits.batch_tokens,
            limits.queue_tokens,
            self._observer,
            limits.queue_seconds,
        )
        self._in_flight: dict[bytes, Entry] = {}
        self._lock = threading.Lock()

    def encode(self, inputs: Sequence[Input], context: RequestContext) -> list[ModelOutput]:
        """The model's output for each input, in order.

        A classifier's and a cross-encoder's row is its logits, an encoder's the pooled vector, not of unit length.
        Raises Overloaded, NotReady, DeadlineExceeded, ClientDisconnected or InferenceFailed.
        """
        keys = [make_key(self._digest, fields) for fields in inputs]
        rows = self._cache.get_many(dict.fromkeys(keys), self._width, context.deadline, self._observer.on_lookup)
        missing = {key: fields for key, fields in zip(keys, inputs, strict=True) if key not in rows}
        with self._lock:
            self.hits += len(rows)
            self.misses += len(missing)
        if missing:
            rows |= self._compute(missing, context)
        return [rows[key] for key in keys]

    def probe(self, context: RequestContext) -> None:
        """Runs one short input through the model, past the cache. Raises as `encode` does."""
        entry = Entry(self._short_input(), context.deadline)
        self.batcher.add([entry])
        try:
            self.batcher.wait(entry, context)
        finally:
            self.batcher.note_answer()

    def infer(self, encodings: list[Encoding]) -> NDArray[np.float32]:
        """float32 [len(encodings), width], on the caller's thread, past cache, queue and slots."""
        output = self._session.run(encodings)
        return output if self._pooling is None else pool(output, list(map(len, encodings)), self._pooling)

    def close(self) -> None:
        """Finishes what is queued; later calls raise NotReady."""
        self.batcher.close()

    def _run(self, encodings: list[Encoding]) -> NDArray[np.float32]:
        """float32 [len(encodings), width]."""
        asked = time.monotonic()
        with self._slots:
            began = time.monotonic()
            try:
                return self.infer(encodings)
            finally:
                seconds = time.monotonic() - began
                self._observer.on_run(began - asked, seconds)
                self._pace.note(max(map(len, encodings)) * len(encodings), seconds)

    def _short_input(self) -> Encoding:
        given: str | tuple[str, str] = "好"
        if self.manifest.kind == "cross-encoder":
            template = self.manifest.pair_template
            given = template.fill("好", "好") if template else ("好", "好")
        (encoding,) = self.tokenizer.encode([given])
        return encoding

    def _check_width(self) -> None:
        """A graph whose rows are not what the manifest promises would give wrong answers, not errors."""
        path = self.folder / MODEL_NAME
        try:
            shape = self.infer([self._short_input()]).shape
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise InvalidModel(f"{path} cannot be run: {error}") from None
        if shape != (1, self._width):
            raise InvalidModel(f"{path} gives {list(shape)} for one input, its manifest says {[1, self._width]}")

    def _compute(self, missing: dict[bytes, Input], context: RequestContext) -> dict[bytes, ModelOutput]:
        context.check_connected()  # the request may have waited long before it came here
        began = time.monotonic()
        given = [fields if len(fields) == 2 else fields[0] for fields in missing.values()]
        encodings = dict(zip(missing, self.tokenizer.encode(given), strict=True))
        asked = time.monotonic()
        self._observer.on_tokenize(len(encodings), began, asked)
        leases = self._cache.acquire_leases(self._costs(encodings), context.deadline)
        entries: dict[bytes, Entry] = {}
        try:
            entries = self._start(
                {key: e for key, e in encodings.items() if key not in leases.elsewhere}, context.deadline
            )
            rows = self._cache.wait(leases.elsewhere, self._width, context)
            left = {key: encodings[key] for key in leases.elsewhere if key not in rows}
            if left:
                context.check_connected()
                entries |= self._start(left, context.deadline)
            return rows | {
                key: ModelOutput(self.batcher.wait(entry, context), entry.encoding.truncated)
                for key, entry in entries.items()
            }
        except Exception:
            self._cache.release(leases)
            raise
        finally:
            for entry in entries.values():
                self.batcher.leave(entry)
            if entries:
                self.batcher.note_answer()
                self._tell(entries.values(), asked)

    def _costs(self, encodings: dict[bytes, Encoding]) -> dict[bytes, float]:
        """Seconds that each takes beside the others, as far as this process does not compute it already."""
        with self._lock:
            new = encodings.keys() - self._in_flight.keys()
        share = self._pace.seconds_per_token / min(self._threads, len(new) or 1)
        return {key: len(encodings[key]) * share for key in new}

    def _tell(self, entries: Collection[Entry], asked: float) -> None:
        # An entry may have been on its way before this call asked for it, and go on after the call gave up.
        now = time.monotonic()
        queued, began = (min(map(attrgetter(name), entries)) for name in ("queued", "began"))
        ended = max(map(attrgetter("ended"), entries))
        self._observer.on_answer(len(entries), *(min(max(i, asked), now) for i in (queued, began, ended)))

    def _start(self, encodings: dict[bytes, Encoding], deadline: float) -> dict[bytes, Entry]:
        """An entry for each key: the one on its way where there is one, else a new one, queued."""
        with self._lock:
            entries, new = {}, {}
            for key, encoding in encodings.items():
                entry = self._in_flight.get(key)
                if entry is None or not self.batcher.join(entry, deadline):
                    entry = new[key] = Entry(encoding, deadline, on_done=partial(self._land, key))
                entries[key] = entry
            try:
                if new:
                    self.batcher.add(list(new.values()))
            except Exception:
                for key in entries.keys() - new.keys():
                    self.batcher.leave(entries[key])
                raise
            self._in_flight |= new
            return entries

    def _land(self, key: bytes, entry: Entry) -> None:
        """Called by a worker when an entry is done: keeps its row and forgets the entry."""
        if entry.row is not None:
            self._cache.put(key, ModelOutput(entry.row, entry.encoding.truncated))
            self._observer.on_cache(len(self._cache.memory), self._cache.memory.size)
        with self._lock:
            if self._in_flight.get(key) is entry:
                del self._in_flight[key]
