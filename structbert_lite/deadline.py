"""The instant by which an answer is wanted, and whether anybody still wants it."""

from collections.abc import Callable
from typing import Self


def _stays() -> bool:
    return False


class Deadline(float):
    """An absolute instant of time.monotonic. `has_left()` is true when whoever asked has hung up.

    It is a float, so that whatever only needs the instant takes either.
    """

    has_left: Callable[[], bool]

    def __new__(cls, instant: float, has_left: Callable[[], bool] | None = None) -> Self:
        """`has_left` is taken over from `instant` where that is a Deadline and none is given."""
        self = super().__new__(cls, instant)
        if has_left is None:
            has_left = instant.has_left if isinstance(instant, Deadline) else _stays
        self.has_left = has_left
        return self
