"""A test client that sends what a fast route takes both ways, and holds the answers against each other.

What is answered by now from memory alone goes a third way, by which an event loop would answer it.
"""

import re
import time
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from structbert_lite.inference.runner import FEW_INPUTS
from structbert_lite.web.fast import FEW_BYTES, PATHS, Answer, FastRequest, FastRoutes

# What may differ: a random id, milliseconds, and what the cache has of a text that was asked a moment before.
TIMING = re.compile(r'total;dur=[\d.]+, cache;desc="\d+/')


class BothWaysClient(FlaskClient):
    """Answers as Flask does, and asks the fast route the same afterwards, in memory and at large."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        response = super().open(*args, **kwargs)
        extensions = self.application.extensions
        # With a quota the second request would be another one: test_fast.py has two applications for that.
        comparable = "structbert_fast" in extensions and "structbert_rate_limiter" not in extensions
        if comparable and response.request.method == "POST" and response.request.path in PATHS:
            self._compare(extensions["structbert_fast"], response)
        return response

    def _compare(self, fast: FastRoutes, response: TestResponse) -> None:
        environ = response.request.environ
        stream = environ["wsgi.input"]
        stream.seek(0)
        body = stream.read()
        request = read_fast(fast, environ, body)
        if request is None:
            assert is_unusual(environ, body, self.application), "a fast route left an ordinary request to Flask"
            return
        remembered = fast.answer_from_memory(request)
        answer = fast.answer(request)
        if remembered is not None and response.status_code != 504:
            assert plain(*remembered) == plain(*answer)
        elif response.status_code == 200 and len(body) <= FEW_BYTES:
            assert needs_a_thread(self.application, answer), "what memory has was left to a thread"
        if 504 in (answer[0], response.status_code):
            return  # how much of it is in the cache by then is a matter of luck
        assert plain(*answer) == plain(response.status_code, list(response.headers), response.data)


def is_unusual(environ: dict[str, Any], body: bytes, app: Flask) -> bool:
    """What the fast routes leave to Flask."""
    kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    return kind != "application/json" or len(body) > app.config["MAX_CONTENT_LENGTH"]


def needs_a_thread(app: Flask, answer: Answer) -> bool:
    """Whether not all of the few inputs of an answered request can have been in the process's memory."""
    found = re.search(r'desc="(\d+)/(\d+)"', dict(answer[1]).get("Server-Timing", ""))
    return not app.extensions["structbert_engine"].cache.memory.capacity or not found or int(found[2]) > FEW_INPUTS


def ask_fast(fast: FastRoutes, environ: dict[str, Any], body: bytes) -> Answer | None:
    """The answer to a request by the fast routes."""
    request = read_fast(fast, environ, body)
    return None if request is None else fast.answer(request)


def read_fast(fast: FastRoutes, environ: dict[str, Any], body: bytes) -> FastRequest | None:
    """The same request as a server hands it to the fast routes."""
    headers = [
        (name.removeprefix("HTTP_").replace("_", "-").lower().encode(), value.encode("latin-1", "replace"))
        for name, value in environ.items()
        if name.startswith("HTTP_") or (name in {"CONTENT_TYPE", "CONTENT_LENGTH"} and value)
    ]
    arrived = environ.get("structbert.arrived") or time.monotonic()
    client = environ.get("REMOTE_ADDR", "")
    return fast.read(environ["REQUEST_METHOD"], environ["PATH_INFO"], headers, body, arrived, client, bool)


def plain(status: int, headers: list[tuple[str, str]], body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
    """An answer without what differs from one request to the next."""
    named = dict(headers)
    masked = sorted(
        (name, TIMING.sub("", value)) for name, value in headers if name not in {"X-Request-ID", "Content-Length"}
    )
    assert int(named["Content-Length"]) == len(body)
    return status, masked, body.replace(named["X-Request-ID"].encode(), b"ID")
