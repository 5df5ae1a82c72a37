"""The deadline and the cancellation of one request, handed down to everybody who works for it."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from structbert_lite.errors import ClientDisconnected


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class RequestContext:
    """`deadline`: an absolute instant of time.monotonic. `cancelled()`: whether the client has disconnected.

    By itself it is a call that takes as long as it takes. What has no use for cancellation takes a plain deadline.
    """

    deadline: float = math.inf
    cancelled: Callable[[], bool] = _never

    @classmethod
    def within(cls, seconds: float) -> Self:
        """A call that is to be answered so many seconds from now."""
        return cls(time.monotonic() + seconds)

    def check_connected(self) -> None:
        """Raises ClientDisconnected: nobody would read the answer."""
        if self.cancelled():
            raise ClientDisconnected("the client hung up")
