"""Several threads that share one list of work."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")


class _Shared(Generic[Item]):
    """An iterator that several threads may advance."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = iter(items)
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        with self._lock:
            return next(self._items)


def share_out(items: Sequence[Item], threads: int, work: Callable[[Iterator[Item]], None]) -> float:
    """Calls `work` in each of `threads` threads with one iterator over `items`; returns the seconds it took."""
    shared = _Shared(items)
    crowd = [threading.Thread(target=work, args=(shared,)) for _ in range(threads)]
    began = time.perf_counter()
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    return time.perf_counter() - began
