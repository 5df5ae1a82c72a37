"""When a request's answer is due, and whether its client is still there."""

import re
import time

from flask import request

from structbert_lite.errors import InvalidInput
from structbert_lite.request_context import RequestContext

HEADER = "X-Request-Timeout-Ms"
WHOLE_NUMBER = re.compile(r"0*([1-9][0-9]{0,17})", re.ASCII)
LARGEST = 10**18 - 1


def read_deadline(timeout_ms: int) -> RequestContext:
    """By when the answer is due: what its header asks for, `timeout_ms` at the most, counted from its arrival.

    Raises InvalidInput with the header's name.
    """
    given = request.headers.get(HEADER)
    if given is not None:
        number = WHOLE_NUMBER.fullmatch(given.strip())
        if not number:
            raise InvalidInput("this header must be a whole number of milliseconds above 0", HEADER)
        timeout_ms = min(timeout_ms, int(number[1]))
    # The server's own worker says when it had the whole request: waiting for a thread counts too.
    arrived = request.environ.get("structbert.arrived") or time.monotonic()
    due, cancelled = arrived + timeout_ms / 1000, request.environ.get("structbert.cancelled")
    return RequestContext(due, cancelled) if cancelled else RequestContext(due)
