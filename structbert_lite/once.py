"""A value that is made when it is first wanted, once, whoever asks."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from structbert_lite.errors import DeadlineExceeded, InvalidModel

Value = TypeVar("Value")


class Once(Generic[Value]):
    """Calls `make` at the first `get`; who comes meanwhile waits. A refused model is refused from then on."""

    def __init__(self, make: Callable[[], Value]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self.value: Value | None = None
        self.refusal = ""

    def get(self, deadline: float) -> Value:
        """The value. Raises DeadlineExceeded where another caller still makes it, and whatever `make` raises."""
        if self.value is not None:
            return self.value
        patience = min(max(0.0, deadline - time.monotonic()), threading.TIMEOUT_MAX)
        if not self._lock.acquire(timeout=patience):
            raise DeadlineExceeded("the deadline passed while the model was loading")
        try:
            return self._fill()
        finally:
            self._lock.release()

    def _fill(self) -> Value:
        if self.refusal:
            raise InvalidModel(self.refusal)
        if self.value is None:
            try:
                self.value = self._make()
            except InvalidModel as error:
                self.refusal = str(error)
                raise
        return self.value
