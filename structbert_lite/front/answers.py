"""Answers that need no application: written while every thread is busy, or to a client that sends nothing useful."""

import email.utils
import os
import re
import time
from functools import lru_cache
from http import HTTPStatus

GIVEN_ID = re.compile(rb"\r\nx-request-id:[ \t]*([\w.-]{1,128})[ \t]*\r\n", re.IGNORECASE | re.ASCII)
Headers = tuple[tuple[str, str], ...]
WANTS_CLOSE = re.compile(rb" HTTP/1\.0\r\n|\r\nconnection:[^\r\n]*\bclose\b", re.IGNORECASE)
# What is said of bytes that the HTTP parser refuses; nothing of them is repeated.
UNREADABLE = {
    400: "this is not a request in HTTP/1.1",
    414: "the request line is too long",
    417: "only 100-continue can be expected",
    431: "the header fields are too large",
    501: "this transfer coding is not known here",
}


def wants_close(head: bytes) -> bool:
    """Whether the client expects no further answer on its connection."""
    return WANTS_CLOSE.search(head) is not None


def why_unreadable(status: int) -> tuple[str, str]:
    """The type and the message of the error where the HTTP parser refused a request, or failed on it."""
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return "internal_error", "the server failed on this request"
    return "malformed_request", UNREADABLE.get(status, UNREADABLE[400])


def write_answer(status: int, head: bytes, body: bytes, headers: Headers, retry_after: int, stays: bool) -> bytes:
    """A whole answer in JSON to the request with this `head`. `stays`: the connection is kept for the next request."""
    given = GIVEN_ID.search(head)
    start, rest = _frame(int(time.time()), status, body, headers, retry_after, stays)
    return start + (given[1] if given else os.urandom(16).hex().encode()) + rest


@lru_cache(maxsize=64)
def _frame(
    second: int, status: int, body: bytes, headers: Headers, retry_after: int, stays: bool
) -> tuple[bytes, bytes]:
    """What stands around the request's id: the same for all refusals of a second, of which there are many."""
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        f"Date: {email.utils.formatdate(second, usegmt=True)}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers),
        f"Connection: {'keep-alive' if stays else 'close'}",
    ]
    if retry_after:
        lines.append(f"Retry-After: {retry_after}")
    return "\r\n".join([*lines, "X-Request-ID: "]).encode(), b"\r\n\r\n" + body
