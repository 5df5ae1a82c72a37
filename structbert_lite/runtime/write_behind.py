"""Writes that no request waits for: a bounded queue and one thread."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, Full, Queue
from typing import Generic, TypeVar

Item = TypeVar("Item")

CAPACITY = 4096
BATCH = 128


class WriteBehind(Generic[Item]):
    """Calls `write` with what queued meanwhile, BATCH items at the most. `write` may not raise."""

    def __init__(self, write: Callable[[list[Item]], None], capacity: int = CAPACITY) -> None:
        self._write = write
        self._queue: Queue[Item | None] = Queue(capacity)
        self._thread = threading.Thread(target=self._work, name="cache-writer", daemon=True)
        self._thread.start()

    def add(self, item: Item) -> bool:
        """Queues `item`, without waiting; False when the queue is full."""
        try:
            self._queue.put_nowait(item)
        except Full:
            return False
        return True

    def flush(self, seconds: float) -> bool:
        """Waits for everything queued so far to be written; False when that takes more than `seconds`."""
        give_up = time.monotonic() + seconds
        while self._queue.unfinished_tasks:
            if time.monotonic() > give_up:
                return False
            time.sleep(0.002)
        return True

    def close(self, seconds: float) -> None:
        """Writes what is queued, for `seconds` at the most, and ends the thread."""
        self.flush(seconds)
        with suppress(Full):
            self._queue.put_nowait(None)
        self._thread.join(seconds)

    def _work(self) -> None:
        closing = False
        while not closing:
            batch = [self._queue.get()]
            with suppress(Empty):
                while len(batch) < BATCH:
                    batch.append(self._queue.get_nowait())
            items = [item for item in batch if item is not None]
            if items:
                self._write(items)
            for _ in batch:
                self._queue.task_done()
            closing = len(items) < len(batch)
