"""The deadline and the cancellation of one request, handed down to everybody who works for it."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from structbert_lite.errors import ClientDisconnected


class NotInMemory(Exception):
    """The call may only look into memory, and that is not enough for it."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class RequestContext:
    """`deadline`: an absolute instant of time.monotonic. `cancelled()`: whether the client has disconnected.

    By itself it is a call that takes as long as it takes. What has no use for cancellation takes a plain deadline.

    Where `deferred` is a list, the call is made in an event loop: only what this process has in memory may answer it,
    else it raises NotInMemory, and what it would count goes to the list, to be called once it has succeeded.
    """

    deadline: float = math.inf
    cancelled: Callable[[], bool] = _never
    deferred: list[Callable[[], None]] | None = None

    @classmethod
    def within(cls, seconds: float) -> Self:
        """A call that is to be answered so many seconds from now."""
        return cls(time.monotonic() + seconds)

    def check_connected(self) -> None:
        """Raises ClientDisconnected: nobody would read the answer."""
        if self.cancelled():
            raise ClientDisconnected("the client hung up")
