"""A bound on the inferences that run side by side, whichever model they belong to."""

import threading
from collections import deque


class Slots:
    """`count` permits, given in the order in which they were asked for; `with slots:` holds one.

    A plain semaphore lets whoever gives a permit back take it again at once: a busy model would shut out the others.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._turns: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            if self._free > 0:
                self._free -= 1
                return
            turn = threading.Lock()
            turn.acquire()
            self._turns.append(turn)
        turn.acquire()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._turns:
                self._turns.popleft().release()
            else:
                self._free += 1
