"""Answers that need no application: written while every thread is busy, or to a client that sends nothing useful."""

import email.utils
import json
import re
import uuid

GIVEN_ID = re.compile(rb"\r\nx-request-id:[ \t]*([\w.-]{1,128})[ \t]*\r\n", re.IGNORECASE | re.ASCII)
WANTS_CLOSE = re.compile(rb" HTTP/1\.0\r\n|\r\nconnection:[^\r\n]*\bclose\b", re.IGNORECASE)
REASONS = {408: "Request Timeout", 503: "Service Unavailable"}


def wants_close(head: bytes) -> bool:
    """Whether the client expects no further answer on its connection."""
    return WANTS_CLOSE.search(head) is not None


def write_refusal(status: int, kind: str, message: str, head: bytes, retry_after: int, stays: bool) -> bytes:
    """A whole answer in the form of every other error. `stays`: the connection is kept for the next request."""
    body = json.dumps({"error": {"type": kind, "message": message}}, separators=(",", ":")).encode() + b"\n"
    given = GIVEN_ID.search(head)
    lines = [
        f"HTTP/1.1 {status} {REASONS[status]}",
        f"Date: {email.utils.formatdate(usegmt=True)}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"X-Request-ID: {given[1].decode() if given else uuid.uuid4().hex}",
        "X-Content-Type-Options: nosniff",
        f"Connection: {'keep-alive' if stays else 'close'}",
    ]
    if retry_after:
        lines.append(f"Retry-After: {retry_after}")
    return "\r\n".join([*lines, "", ""]).encode() + body
