"""What the worker's loop answers by itself: shapes, headers and counts are those of the application's answers.

The loop answers thousands of these a second under overload, so nothing here builds a request of the web framework.
"""

import json
import re
from functools import lru_cache

from flask import Flask

from structbert_lite.telemetry.metrics import Metrics
from structbert_lite.web.compat.dialect import SHARED, Dialect, dialect_of_path
from structbert_lite.web.compat.errors import SHAPES
from structbert_lite.web.middleware import ANSWERS, read_origins, sharing_headers
from structbert_lite.web.request_telemetry import METHODS

EXTENSION = "structbert_refusals"  # the worker finds it there (front/worker.py)
REQUEST_LINE = re.compile(rb"([A-Z]+) ([^ ?]*)[^ ]* HTTP/1")
ORIGIN = re.compile(rb"\r\norigin:[ \t]*([^\r\n]*?)[ \t]*\r\n", re.IGNORECASE)
MARKERS = {path: f'"{field}"'.encode() for path, field in SHARED.items()}

Headers = tuple[tuple[str, str], ...]


class Refusals:
    """Body and headers of an error of our type `name` for a request that the application has not seen."""

    def __init__(self, app: Flask, metrics: Metrics, origins: str) -> None:
        self._metrics = metrics
        self._origins = read_origins(origins)
        self._routes = {rule.rule for rule in app.url_map.iter_rules() if not rule.arguments}

    def answer(self, head: bytes, body: bytes, status: int, name: str, message: str) -> tuple[bytes, Headers]:
        """Counts the answer too. `head` and `body` are what has come of the request, perhaps nothing."""
        line = REQUEST_LINE.match(head)
        method, path = (part.decode("latin-1") for part in line.groups()) if line else ("other", "")
        route = path if path in self._routes else "unmatched"
        self._metrics.requests.labels(route, method if method in METHODS else "other", status).inc()
        self._metrics.refusals.labels(name).inc()
        headers = tuple(ANSWERS.items())
        if self._origins:
            origin = ORIGIN.search(head)
            headers += tuple(sharing_headers(self._origins, origin[1].decode("latin-1") if origin else None))
        return _write(_dialect(path, body), status, name, message), headers


def _dialect(path: str, body: bytes) -> Dialect:
    if path in MARKERS and MARKERS[path] in body:  # a body of ours may hold it as a text, which changes but the shape
        return Dialect.TEI
    return dialect_of_path(path)


@lru_cache(maxsize=64)
def _write(dialect: Dialect, status: int, name: str, message: str) -> bytes:
    return json.dumps(SHAPES[dialect](status, name, message, None), separators=(",", ":")).encode() + b"\n"
