"""What the worker's loop asks before a thread has a request, and what it tells of those that no thread had.

A refusal by the application costs threads, parsing and tokenizing. At the door it costs the loop little, so that three
times too many requests leave the CPUs to those that are let in.
"""

import threading
import time
from collections.abc import Callable

from structbert_lite.engine import Engine
from structbert_lite.inference.batcher import Batcher
from structbert_lite.inference.observer import Observer
from structbert_lite.inference.resources import usable_cpus

EXTENSION = "structbert_door"  # the worker finds it there (front/worker.py)
# So many requests are read and tokenized at once, beside those that take long: more would only fight for the
# interpreter's lock, and the loop would not get it.
AT_ONCE, LONG_SECONDS = max(2, usable_cpus()), 0.02
# Other routes are refused by the queue itself, in their own dialect.
TASKS = {
    b"/predict": "sentiment",
    b"/predict_batch": "sentiment",
    b"/similarity": "similarity",
    b"/embed": "embedding",
    b"/classify": "zero-shot",
    b"/rerank": "rerank",
}


class Door(Observer):
    """Answers within microseconds: the loop waits for it.

    It counts the requests on their way from the door to the queue: there may be more of them than in it. As an observer
    it is told, in the request's thread, when one gets there, and calls `on_arrival` there.
    """

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._coming = 0
        self._lock = threading.Lock()
        self._here = threading.local()
        self._begun: dict[int, float] = {}  # thread -> since when it has a request that is on its way
        self.on_arrival: Callable[[], object] = lambda: None

    def open(self, engine: Engine) -> None:
        """From now on requests may be refused for `engine`'s queues."""
        self._engine = engine

    def refuses(self, path: bytes, waiting: int | None = None) -> int:
        """Seconds after which a client may ask this path again; 0: it may ask now.

        `waiting`: others that were let in before it and that no thread has yet; None: it is one of them, and the first.
        """
        batcher = self._batcher(path)
        if batcher is None:
            return 0
        return batcher.refuse_early(self._coming + (waiting or 0), is_new=waiting is not None)

    def turn_away(self, path: bytes) -> None:
        """A request for this path was refused because the server itself has no room."""
        if batcher := self._batcher(path):
            batcher.turn_away()

    def let_in(self) -> None:
        """A request is on its way: a thread gets it."""
        with self._lock:
            self._coming += 1

    @property
    def has_room(self) -> bool:
        """Whether another request should be on its way now."""
        long_ago = time.monotonic() - LONG_SECONDS
        return self._coming - sum(begun < long_ago for begun in list(self._begun.values())) < AT_ONCE

    def begin(self) -> None:
        """Its thread has it; this and what follows is called there."""
        self._here.is_coming = True
        self._begun[threading.get_ident()] = time.monotonic()

    def on_tokenize(self, inputs: int, began: float, ended: float) -> None:
        self._arrive()

    def end(self) -> None:
        """It is answered, whether it got to a queue or not."""
        self._arrive()

    def _batcher(self, path: bytes) -> Batcher | None:
        if self._engine is None or path not in TASKS:
            return None
        runner = self._engine.runners.get(self._engine.names.get(TASKS[path], ""))
        return runner.batcher if runner else None

    def _arrive(self) -> None:
        if getattr(self._here, "is_coming", False):
            self._here.is_coming = False
            del self._begun[threading.get_ident()]
            with self._lock:
                self._coming -= 1
            self.on_arrival()
