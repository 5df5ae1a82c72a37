"""The tier that replicas share. Whatever is wrong with its server is a miss and a count, never an error."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from structbert_lite.runtime.bounded_calls import BoundedCalls
from structbert_lite.runtime.breaker import Breaker
from structbert_lite.runtime.cache import Row, TierCounts
from structbert_lite.runtime.row_bytes import pack_row, unpack_row
from structbert_lite.runtime.store import REASONS, Store, StoreFailed
from structbert_lite.runtime.write_behind import WriteBehind

log = logging.getLogger(__name__)
Value = TypeVar("Value")

READERS = 8
KEYS_AT_ONCE = 512
CLOSE_SECONDS = 1.0
PROBE = b"structbert:probe"


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
        self.counts = TierCounts()
        self.counts.errors.update(dict.fromkeys(REASONS, 0))
        self._store = store
        self._ttl = ttl
        self._timeout = timeout
        self._lock = threading.Lock()
        self._calls = BoundedCalls(READERS, "cache-reader")
        self._breaker = Breaker(self._probe, retry)
        self._writes: WriteBehind[tuple[bytes, Row | None]] = WriteBehind(self._write)

    @property
    def is_out(self) -> bool:
        """Whether the server is known not to answer."""
        return self._breaker.is_open

    def get_many(self, keys: Iterable[bytes], width: int, deadline: float) -> dict[bytes, Row]:
        """The rows of `width` values that the server has, as far as it answers in time. Raises nothing."""
        keys = list(keys)
        found = self.look(keys, width, deadline)
        with self._lock:
            self.counts.hits += len(found)
            self.counts.misses += len(keys) - len(found)
        return found

    def look(self, keys: list[bytes], width: int, deadline: float) -> dict[bytes, Row]:
        """As get_many, without counting hits and misses."""
        rows: dict[bytes, Row | None] = {}
        for start in range(0, len(keys), KEYS_AT_ONCE):
            some = keys[start : start + KEYS_AT_ONCE]
            values = self._ask(partial(self._store.get_many, _row_names(some)), deadline)
            if values is None:
                break
            given = {key: data for key, data in zip(some, values, strict=True) if data is not None}
            rows |= {key: unpack_row(key, data, width) for key, data in given.items()}
        found = {key: row for key, row in rows.items() if row is not None}
        self._count("poisoned", len(rows) - len(found))
        return found

    def put(self, key: bytes, row: Row) -> None:
        """Has `row` written soon, by another thread; it is dropped when too much is waiting or the server is out."""
        if self.is_out or not self._writes.add((key, row)):
            self._count("dropped", 1)

    def claim(self, keys: list[bytes], milliseconds: int, deadline: float) -> set[bytes] | None:
        """Which of `keys` are the caller's to compute for `milliseconds`; None when the server does not answer."""
        answers = self._ask(partial(self._store.claim_many, _claim_names(keys), milliseconds), deadline)
        return None if answers is None else {key for key, is_ours in zip(keys, answers, strict=True) if is_ours}

    def claimed(self, keys: list[bytes], deadline: float) -> set[bytes]:
        """Which of `keys` somebody holds a claim on; none when the server does not answer."""
        marks = self._ask(partial(self._store.get_many, _claim_names(keys)), deadline) or []
        return {key for key, mark in zip(keys, marks, strict=False) if mark is not None}

    def release(self, keys: Iterable[bytes]) -> None:
        """Has the claims on `keys` removed soon, by another thread."""
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
        patience = min(self._timeout, (deadline - time.monotonic()) / 2)
        if patience <= 0 or self.is_out:
            return None
        try:
            return self._calls.call(make, patience)
        except StoreFailed as error:
            self._fail(error.reason)
        except TimeoutError:
            if patience == self._timeout:  # else the request was short of time, not the server slow
                self._fail("timeout")
        return None

    def _write(self, items: list[tuple[bytes, Row | None]]) -> None:
        kept = {_row_names([key])[0]: pack_row(key, row) for key, row in items if row is not None}
        released = _claim_names([key for key, row in items if row is None])
        if self.is_out:
            self._count("dropped", len(kept))
            return
        try:
            for reason in self._store.set_many(kept, self._ttl) if kept else []:
                self._count(reason, 1)
            if released:
                self._store.forget_many(released)
        except StoreFailed as error:
            self._count("dropped", len(kept))
            self._fail(error.reason)

    def _probe(self) -> bool:
        """Asks what requests ask: a server may answer a ping and refuse the rest."""
        try:
            self._store.get_many([PROBE])
        except StoreFailed as error:
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


def _row_names(keys: list[bytes]) -> list[bytes]:
    """Under which names the server keeps the rows of `keys`."""
    return [b"structbert:row:" + key.hex().encode() for key in keys]


def _claim_names(keys: list[bytes]) -> list[bytes]:
    """Under which names the server keeps who computes `keys`."""
    return [b"structbert:claim:" + key.hex().encode() for key in keys]
