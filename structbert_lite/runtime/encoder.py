"""Inputs to rows: cache look-up, tokenization of the misses, one computation for identical inputs."""

import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from structbert_lite.manifest import MODEL_NAME, TOKENIZER_NAME, Manifest, check_files
from structbert_lite.runtime.batcher import Batcher, Entry
from structbert_lite.runtime.cache import Cache, Row, make_key
from structbert_lite.runtime.session import Session
from structbert_lite.runtime.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on threads and memory; see Settings for the meaning of each."""

    threads: int
    max_batch: int
    batch_tokens: int
    queue_tokens: int
    cache_bytes: int


class Encoder:
    """One loaded model."""

    def __init__(self, folder: Path, manifest: Manifest, limits: Limits) -> None:
        """Checks the files' digests and loads them. Raises ModelRefused with the file's name."""
        check_files(folder, manifest)
        self.manifest = manifest
        self.cache = Cache(limits.cache_bytes)
        self._digest = manifest.digest
        self._tokenizer = Tokenizer(folder / TOKENIZER_NAME, manifest.max_tokens)
        session = Session(folder / MODEL_NAME, manifest.inputs, manifest.pad_id)
        self.batcher = Batcher(session.run, limits.threads, limits.max_batch, limits.batch_tokens, limits.queue_tokens)
        self._in_flight: dict[bytes, Entry] = {}
        self._lock = threading.Lock()

    def encode(self, texts: list[str], deadline: float) -> list[Row]:
        """The model's output for each text, in order, by `deadline` (an instant of time.monotonic).

        Raises Overloaded, NotReady, DeadlineExceeded or InferenceFailed.
        """
        keys = [make_key(self._digest, (text,)) for text in texts]
        rows: dict[bytes, Row | None] = {key: self.cache.get(key) for key in dict.fromkeys(keys)}
        missing = {key: text for key, text in zip(keys, texts, strict=True) if rows[key] is None}
        if missing:
            rows |= self._compute(missing, deadline)
        return [rows[key] for key in keys]

    def probe(self, deadline: float) -> None:
        """Runs one short input through the model, past the cache. Raises as `encode` does."""
        (encoding,) = self._tokenizer.encode(["好"])
        entry = Entry(encoding, deadline)
        self.batcher.add([entry])
        self.batcher.wait(entry, deadline)

    def close(self) -> None:
        """Finishes what is queued; later calls raise NotReady."""
        self.batcher.close()

    def _compute(self, missing: dict[bytes, str], deadline: float) -> dict[bytes, Row]:
        encodings = dict(zip(missing, self._tokenizer.encode(list(missing.values())), strict=True))
        entries = self._start(encodings, deadline)
        try:
            return {
                key: Row(self.batcher.wait(entry, deadline), entry.encoding.truncated) for key, entry in entries.items()
            }
        finally:
            for entry in entries.values():
                self.batcher.leave(entry)

    def _start(self, encodings: dict, deadline: float) -> dict[bytes, Entry]:
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
            self.cache.put(key, Row(entry.row, entry.encoding.truncated))
        with self._lock:
            if self._in_flight.get(key) is entry:
                del self._in_flight[key]
