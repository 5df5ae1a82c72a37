"""A least-recently-used cache of logits and vectors, bounded in bytes."""

import hashlib
import threading
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

# What one entry costs besides its key and values: the dictionary's slot and links, three objects' headers.
OVERHEAD = 350


@dataclass(frozen=True, slots=True)
class ModelOutput:
    """The model's output for one input, float32 [width], and whether the input was truncated."""

    values: NDArray[np.float32]
    truncated: bool


@dataclass(slots=True)
class TierStats:
    """Totals of one tier since the start, in inputs. `errors`, by reason, are never seen by whoever asked."""

    hits: int = 0
    misses: int = 0
    errors: Counter[str] = field(default_factory=Counter)


def make_key(model_digest: str, fields: tuple[str, ...]) -> bytes:
    """32 bytes that name one input to one model. Lengths go in first, so ("ab", "c") is not ("a", "bc")."""
    key = hashlib.blake2b(model_digest.encode(), digest_size=32)
    for part in fields:
        data = part.encode()
        key.update(len(data).to_bytes(8, "little"))
        key.update(data)
    return key.digest()


class MemoryCache:
    """The tier in memory: at most `capacity` bytes by estimate; 0 keeps nothing. Safe to use from several threads."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.size = 0
        self.counts = TierStats()
        self._rows: OrderedDict[bytes, ModelOutput] = OrderedDict()
        self._lock = threading.Lock()

    def get_many(self, keys: Iterable[bytes], width: int, deadline: float) -> dict[bytes, ModelOutput]:
        """The rows that are here. A key fixes its row's width, and nothing here takes time: see SharedCache."""
        with self._lock:
            return {key: row for key in keys if (row := self._look_up(key)) is not None}

    def get_all(self, keys: Collection[bytes]) -> list[ModelOutput] | None:
        """The rows of all `keys`, in order; None, with nothing counted, where one is not here."""
        with self._lock:
            if not all(key in self._rows for key in keys):
                return None
            return [row for key in keys if (row := self._look_up(key)) is not None]

    def put(self, key: bytes, row: ModelOutput) -> None:
        """Keeps `row`, and drops the least recently used rows that no longer fit."""
        cost = _cost(key, row)
        if cost > self.capacity:
            return
        with self._lock:
            old = self._rows.pop(key, None)
            if old is not None:
                self.size -= _cost(key, old)
            self._rows[key] = row
            self.size += cost
            while self.size > self.capacity:
                dropped_key, dropped = self._rows.popitem(last=False)
                self.size -= _cost(dropped_key, dropped)

    def __len__(self) -> int:
        return len(self._rows)

    def _look_up(self, key: bytes) -> ModelOutput | None:
        row = self._rows.get(key)
        if row is None:
            self.counts.misses += 1
        else:
            self.counts.hits += 1
            self._rows.move_to_end(key)
        return row


def _cost(key: bytes, row: ModelOutput) -> int:
    return len(key) + row.values.nbytes + OVERHEAD
