"""What the edge answers by itself: shapes, headers and counts are those of the application's answers.

The edge answers thousands of these a second under overload, so nothing here builds a request of the web framework.
"""

import json
from collections.abc import Iterable
from functools import lru_cache

from flask import Flask

from structbert_lite.paths import Dialect, guess_dialect
from structbert_lite.telemetry.metrics import Metrics
from structbert_lite.web.compat.errors import shape_error
from structbert_lite.web.compat.json_requests import route_of
from structbert_lite.web.middleware import ANSWERS, choose_request_id, read_origins, sharing_headers
from structbert_lite.web.request_telemetry import METHODS

EXTENSION = "structbert_refusals"  # the edge finds it there (server/edge.py)
# What is said of bytes that the HTTP parser refuses; nothing of them is repeated.
UNREADABLE = {
    400: "this is not a request in HTTP/1.1",
    414: "the request line is too long",
    417: "only 100-continue can be expected",
    431: "the header fields are too large",
    501: "this transfer coding is not known here",
}

Headers = list[tuple[bytes, bytes]]


class Refusals:
    """Status, headers and body of an error of our type `name` for a request that the application has not seen."""

    def __init__(self, app: Flask, metrics: Metrics, origins: str) -> None:
        self._metrics = metrics
        self._origins = read_origins(origins)
        self._routes = {rule.rule for rule in app.url_map.iter_rules() if not rule.arguments}

    def answer(
        self, status: int, name: str, message: str, method: str, path: str, given: dict[bytes, bytes], begun: bytes
    ) -> tuple[int, Headers, bytes]:
        """With its status, which may be another for some clients. Counts it. `given`: the request's headers; `begun`:
        what has come of its body.
        """
        path = route_of(method, path, given.get(b"content-type", b"").decode("latin-1"))
        status, body = _write(guess_dialect(path, begun), status, name, message)
        route = path if path in self._routes else "unmatched"
        self._metrics.requests.labels(route, method if method in METHODS else "other", status).inc()
        self._metrics.refusals.labels(name).inc()
        request_id = choose_request_id(given.get(b"x-request-id", b"").decode("latin-1"))
        headers = [*_ANSWERS, (b"Content-Length", b"%d" % len(body)), (b"X-Request-ID", request_id.encode())]
        if self._origins:
            origin = given.get(b"origin", b"").decode("latin-1")
            headers += _encode(sharing_headers(self._origins, origin or None))
        return status, headers, body

    def unreadable(self, status: int) -> tuple[Headers, bytes]:
        """Of what is no request; 408: of one whose head does not come; 500: of one that the server fails on."""
        name, message = "malformed_request", UNREADABLE.get(status, UNREADABLE[400])
        if status == 408:
            name, message = "request_timeout", "the request took too long to come"
        elif status == 500:
            name, message = "internal_error", "the server failed on this request"
        _, headers, body = self.answer(status, name, message, "other", "", {}, b"")
        return headers, body


def _encode(headers: Iterable[tuple[str, str]]) -> Headers:
    return [(name.encode(), value.encode("latin-1")) for name, value in headers]


_ANSWERS = [(b"Content-Type", b"application/json"), *_encode(ANSWERS.items())]


@lru_cache(maxsize=64)
def _write(dialect: Dialect, status: int, name: str, message: str) -> tuple[int, bytes]:
    status, body = shape_error(dialect, status, name, message)
    return status, json.dumps(body, separators=(",", ":")).encode() + b"\n"
