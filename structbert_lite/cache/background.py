"""Threads that keep a slow or dead server out of the requests' way.

WriteBehind: a bounded queue of writes that no request waits for. TimeoutExecutor: calls that nobody waits for longer
than he says, whatever the library behind them does; a socket's time-out holds for each packet by itself, and a name
look-up has none. CircuitBreaker: knows that a server is out, so that no request has to find out again.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, Full, Queue, SimpleQueue
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Value = TypeVar("Value")

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


class TimeoutExecutor:
    """`workers` threads that make calls for others.

    Unlike those of concurrent.futures.ThreadPoolExecutor they do not keep the process alive, so a call that hangs does
    not hold up its exit.
    """

    def __init__(self, workers: int, name: str) -> None:
        self._waiting: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._threads = [threading.Thread(target=self._work, name=f"{name}-{i}", daemon=True) for i in range(workers)]
        for thread in self._threads:
            thread.start()

    def call(self, make: Callable[[], Value], seconds: float) -> Value:
        """What `make` returns; raises what it raises, and TimeoutError after `seconds`.

        A call that is running by then runs to its end, and its result is dropped; one still queued is cancelled.
        """
        future: Future[Value] = Future()
        self._waiting.put((future, make))
        try:
            return future.result(seconds)
        finally:
            future.cancel()

    def close(self) -> None:
        """Ends the threads as they become free, without waiting for them."""
        for _ in self._threads:
            self._waiting.put(None)

    def _work(self) -> None:
        while (job := self._waiting.get()) is not None:
            future, make = job
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(make())
                except BaseException as error:  # whoever waits has to be told, whatever it is
                    future.set_exception(error)


class CircuitBreaker:
    """Closed until a failure; then open until `probe` says True. A thread of its own asks it every `retry` seconds."""

    def __init__(self, probe: Callable[[], bool], retry: float) -> None:
        self._probe = probe
        self._retry = retry
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self.is_open = False

    def open(self) -> bool:
        """Notes a failure; True when it is the first one of an outage."""
        with self._lock:
            if self.is_open or self._stopped.is_set():
                return False
            self.is_open = True
        threading.Thread(target=self._watch, name="breaker", daemon=True).start()
        return True

    def stop(self) -> None:
        """Ends the watching. Leaves it open: whoever asks later is not to try."""
        with self._lock:
            self._stopped.set()
            self.is_open = True

    def _watch(self) -> None:
        while not self._stopped.wait(self._retry):
            if self._probe():
                with self._lock:
                    self.is_open = self._stopped.is_set()
                return
