"""A least-recently-used cache of logits and vectors, bounded in bytes."""

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

# What one entry costs besides its key and values: the dictionary's slot and links, three objects' headers.
OVERHEAD = 350


@dataclass(frozen=True, slots=True)
class Row:
    """The model's output for one input, float32 [width], and whether the input was truncated."""

    values: np.ndarray
    truncated: bool


def make_key(model_digest: str, fields: tuple[str, ...]) -> bytes:
    """32 bytes that name one input to one model. Lengths go in first, so ("ab", "c") is not ("a", "bc")."""
    key = hashlib.blake2b(model_digest.encode(), digest_size=32)
    for field in fields:
        data = field.encode()
        key.update(len(data).to_bytes(8, "little"))
        key.update(data)
    return key.digest()


class Cache:
    """Key to Row, at most `capacity` bytes by estimate; 0 keeps nothing. Safe to use from several threads."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.size = 0
        self._rows: OrderedDict[bytes, Row] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: bytes) -> Row | None:
        with self._lock:
            row = self._rows.get(key)
            if row is not None:
                self._rows.move_to_end(key)
            return row

    def put(self, key: bytes, row: Row) -> None:
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


def _cost(key: bytes, row: Row) -> int:
    return len(key) + row.values.nbytes + OVERHEAD
