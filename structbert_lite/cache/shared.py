"""The tier that replicas share. Whatever is wrong with its server is a miss and a count, never an error.

An output is kept as bytes on a server that others write to as well, so whatever is not exactly right is none:

| bytes | what |
|---|---|
| 4 | `SBR` and the version, 1 |
| 1 | 1 when the input was truncated, else 0 |
| 4 | the number of values, unsigned, little-endian |
| 8 | BLAKE2b of the key, the nine bytes above and the values |
| 4 each | the values, float32, little-endian |
"""

import hashlib
import logging
import struct
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol, TypeVar

import numpy as np

from structbert_lite.cache.background import CircuitBreaker, TimeoutExecutor, WriteBehind
from structbert_lite.cache.memory import ModelOutput, TierStats

log = logging.getLogger(__name__)
Value = TypeVar("Value")

READERS = 8
KEYS_AT_ONCE = 512
CLOSE_SECONDS = 1.0
PROBE = b"structbert:probe"
MAGIC = b"SBR1"
HEAD = struct.Struct("<4s?I")
CHECKSUM_BYTES = 8
HEADER_BYTES = HEAD.size + CHECKSUM_BYTES
# refused: password or permission; poisoned: bytes that are no row of this key; dropped: not written, because too much
# was waiting to be, or because the server was known to be out.
FAILURES = ("timeout", "unreachable", "refused", "full", "read_only", "poisoned", "dropped", "other")


class StoreError(Exception):
    """A server did not do what it was asked. `reason` is one of FAILURES."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Store(Protocol):
    """Bytes under names on one server, to be used from several threads. Every method may raise StoreError."""

    def get_many(self, names: list[bytes]) -> list[bytes | None]:
        """The value under each name, None where there is none."""

    def set_many(self, values: dict[bytes, bytes], seconds: int) -> list[str]:
        """Keeps `values` for `seconds`. Returns the reason of each one that was refused."""

    def acquire_many(self, names: list[bytes], milliseconds: int) -> list[bool]:
        """Takes each name that is free, for `milliseconds`; False where another has it."""

    def delete_many(self, names: list[bytes]) -> None:
        """Removes whatever is under `names`."""

    def close(self) -> None:
        """Ends the connections."""


class SharedCache:
    """Rows on a server. A request waits for it `timeout` seconds, or half of what it has left, at the most.

    After one failure no request asks again until the server has answered a probe, one each `retry` seconds.
    """

    def __init__(
        self,
        store: Store,
        ttl: int,
        timeout: float,
        retry: float = 2.0,
        on_error: Callable[[str, int], None] = lambda reason, number: None,
    ) -> None:
        """Rows are kept for `ttl` seconds. `on_error` is told a reason and how often. Closes `store` with itself."""
        self._on_error = on_error
        self.counts = TierStats()
        self.counts.errors.update(dict.fromkeys(FAILURES, 0))
        self._store = store
        self._ttl = ttl
        self._timeout = timeout
        self._lock = threading.Lock()
        self._calls = TimeoutExecutor(READERS, "cache-reader")
        self._breaker = CircuitBreaker(self._probe, retry)
        self._writes: WriteBehind[tuple[bytes, ModelOutput | None]] = WriteBehind(self._write)

    @property
    def is_out(self) -> bool:
        """Whether the server is known not to answer."""
        return self._breaker.is_open

    def get_many(self, keys: Iterable[bytes], width: int, deadline: float) -> dict[bytes, ModelOutput]:
        """The rows of `width` values that the server has, as far as it answers in time. Raises nothing."""
        keys = list(keys)
        found = self.look(keys, width, deadline)
        with self._lock:
            self.counts.hits += len(found)
            self.counts.misses += len(keys) - len(found)
        return found

    def look(self, keys: list[bytes], width: int, deadline: float) -> dict[bytes, ModelOutput]:
        """As get_many, without counting hits and misses."""
        rows: dict[bytes, ModelOutput | None] = {}
        for start in range(0, len(keys), KEYS_AT_ONCE):
            some = keys[start : start + KEYS_AT_ONCE]
            values = self._ask(partial(self._store.get_many, _row_names(some)), deadline)
            if values is None:
                break
            given = {key: data for key, data in zip(some, values, strict=True) if data is not None}
            rows |= {key: unpack_output(key, data, width) for key, data in given.items()}
        found = {key: row for key, row in rows.items() if row is not None}
        self._count("poisoned", len(rows) - len(found))
        return found

    def put(self, key: bytes, row: ModelOutput) -> None:
        """Has `row` written soon, by another thread; it is dropped when too much is waiting or the server is out."""
        if self.is_out or not self._writes.add((key, row)):
            self._count("dropped", 1)

    def acquire_leases(self, keys: list[bytes], milliseconds: int, deadline: float) -> set[bytes] | None:
        """Which of `keys` are the caller's to compute for `milliseconds`; None when the server does not answer."""
        answers = self._ask(partial(self._store.acquire_many, _lease_names(keys), milliseconds), deadline)
        return None if answers is None else {key for key, is_ours in zip(keys, answers, strict=True) if is_ours}

    def leased(self, keys: list[bytes], deadline: float) -> set[bytes]:
        """Which of `keys` somebody holds a lease on; none when the server does not answer."""
        marks = self._ask(partial(self._store.get_many, _lease_names(keys)), deadline) or []
        return {key for key, mark in zip(keys, marks, strict=False) if mark is not None}

    def release_leases(self, keys: Iterable[bytes]) -> None:
        """Has the leases on `keys` removed soon, by another thread."""
        for key in keys:
            if not self.is_out:
                self._writes.add((key, None))

    def flush(self, seconds: float) -> bool:
        """Waits until what was put is written or dropped; False when that takes more than `seconds`."""
        return self._writes.flush(seconds)

    def close(self) -> None:
        """Writes what is waiting to be written, for a second or two at the most; later calls find nothing."""
        self._writes.close(CLOSE_SECONDS)
        self._breaker.stop()
        self._calls.close()
        self._store.close()

    def _ask(self, make: Callable[[], Value], deadline: float) -> Value | None:
        """What `make` gets from the server; None when it is out or fails, or when there is no time."""
        timeout = min(self._timeout, (deadline - time.monotonic()) / 2)
        if timeout <= 0 or self.is_out:
            return None
        try:
            return self._calls.call(make, timeout)
        except StoreError as error:
            self._fail(error.reason)
        except TimeoutError:
            if timeout == self._timeout:  # else the request was short of time, not the server slow
                self._fail("timeout")
        return None

    def _write(self, items: list[tuple[bytes, ModelOutput | None]]) -> None:
        kept = {_row_names([key])[0]: pack_output(key, row) for key, row in items if row is not None}
        released = _lease_names([key for key, row in items if row is None])
        if self.is_out:
            self._count("dropped", len(kept))
            return
        try:
            for reason in self._store.set_many(kept, self._ttl) if kept else []:
                self._count(reason, 1)
            if released:
                self._store.delete_many(released)
        except StoreError as error:
            self._count("dropped", len(kept))
            self._fail(error.reason)

    def _probe(self) -> bool:
        """Asks what requests ask: a server may answer a ping and refuse the rest."""
        try:
            self._store.get_many([PROBE])
        except StoreError as error:
            self._count(error.reason, 1)
            return False
        log.info("the shared cache answers again")
        return True

    def _fail(self, reason: str) -> None:
        self._count(reason, 1)
        if self._breaker.open():
            log.warning("the shared cache is out (%s); results are computed until it answers again", reason)

    def _count(self, reason: str, number: int) -> None:
        if number:
            with self._lock:
                self.counts.errors[reason] += number
            self._on_error(reason, number)


def pack_output(key: bytes, row: ModelOutput) -> bytes:
    """`row` as it is kept under `key`, and under no other."""
    head = HEAD.pack(MAGIC, row.truncated, row.values.size)
    values = row.values.astype("<f4", copy=False).tobytes()
    return head + _checksum(key, head, values) + values


def unpack_output(key: bytes, data: bytes, width: int) -> ModelOutput | None:
    """What pack_output(key, row) was given, to the last bit; None for any other bytes, width or key."""
    if len(data) != HEADER_BYTES + 4 * width:
        return None
    head, checksum, values = data[: HEAD.size], data[HEAD.size : HEADER_BYTES], data[HEADER_BYTES:]
    if checksum != _checksum(key, head, values):
        return None
    magic, truncated, count = HEAD.unpack(head)
    row = ModelOutput(np.frombuffer(values, "<f4").astype(np.float32), truncated)
    return row if magic == MAGIC and count == width and np.isfinite(row.values).all() else None


def _checksum(key: bytes, head: bytes, values: bytes) -> bytes:
    """Lengths need no mark: the head has always the same, and the key comes last."""
    return hashlib.blake2b(head + values + key, digest_size=CHECKSUM_BYTES).digest()


def _row_names(keys: list[bytes]) -> list[bytes]:
    """Under which names the server keeps the rows of `keys`."""
    return [b"structbert:row:" + key.hex().encode() for key in keys]


def _lease_names(keys: list[bytes]) -> list[bytes]:
    """Under which names the server keeps who computes `keys`."""
    return [b"structbert:claim:" + key.hex().encode() for key in keys]
