"""Knows that a server is out, so that no request has to find out again."""

import threading
from collections.abc import Callable


class Breaker:
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
