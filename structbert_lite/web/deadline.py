"""When a request's answer is due, and whether its client is still there."""

import re
import time
from collections.abc import Callable

from flask import request

from structbert_lite.errors import InvalidInput
from structbert_lite.request_context import RequestContext

HEADER = "X-Request-Timeout-Ms"
WHOLE_NUMBER = re.compile(r"0*([1-9][0-9]{0,17})", re.ASCII)
LARGEST = 10**18 - 1


def read_context(timeout_ms: int) -> RequestContext:
    """Of Flask's request: `make_context` of what it and its server say."""
    arrived, cancelled = (request.environ.get(f"structbert.{name}") for name in ("arrived", "cancelled"))
    return make_context(request.headers.get(HEADER), timeout_ms, arrived, cancelled)


def make_context(
    given: str | None,
    timeout_ms: int,
    arrived: float | None,
    cancelled: Callable[[], bool] | None,
    deferred: list[Callable[[], None]] | None = None,
) -> RequestContext:
    """By when the answer is due: what its header asks for, `timeout_ms` at the most, counted from its arrival.

    `arrived`: when the server had the whole request, an instant of time.monotonic: waiting for a thread counts too.
    `deferred`: as in RequestContext. Raises InvalidInput with the header's name.
    """
    if given is not None:
        number = WHOLE_NUMBER.fullmatch(given.strip())
        if not number:
            raise InvalidInput("this header must be a whole number of milliseconds above 0", HEADER)
        timeout_ms = min(timeout_ms, int(number[1]))
    due = (arrived or time.monotonic()) + timeout_ms / 1000
    return RequestContext(due, cancelled, deferred) if cancelled else RequestContext(due, deferred=deferred)
