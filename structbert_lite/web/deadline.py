"""When a request's answer is due, and whether its client is still there."""

import re
import select
import socket
import time
from functools import partial

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
    connection = request.environ.get("gunicorn.socket")
    due = arrived + timeout_ms / 1000
    return RequestContext(due, partial(has_hung_up, connection)) if connection else RequestContext(due)


def has_hung_up(connection: socket.socket) -> bool:
    """Whether the other side has closed the connection, or its sending half. Never waits, takes nothing out."""
    try:
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        if not poll.poll(0):  # a socket with a time-out would make recv wait, whatever its flags
            return False
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except (OSError, ValueError):
        return True
