"""Calls that nobody waits for longer than he says, whatever the library behind them does.

A socket's time-out holds for each packet by itself, and a name look-up has none: a server that sends a byte now and
then, or a dead name server, would hold a request for as long as it likes.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

Value = TypeVar("Value")


class BoundedCalls:
    """`workers` threads that make calls for others. They do not keep the process alive."""

    def __init__(self, workers: int, name: str) -> None:
        self._waiting: SimpleQueue[tuple[Future, Callable] | None] = SimpleQueue()
        self._threads = [threading.Thread(target=self._work, name=f"{name}-{i}", daemon=True) for i in range(workers)]
        for thread in self._threads:
            thread.start()

    def call(self, make: Callable[[], Value], seconds: float) -> Value:
        """What `make` returns; raises what it raises, and TimeoutError after `seconds`.

        A call that has begun by then goes on unheard; one that has not never begins.
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
