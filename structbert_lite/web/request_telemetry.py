"""Around every request: its metrics, its line in the log and, where they are on, its trace.

Signals, not hooks: they come before the first hook and after the last one, whatever a hook answers.
"""

import logging
import time
from typing import Any

from flask import Flask, Response, g, request, request_finished, request_started, request_tearing_down

from structbert_lite.telemetry.logs import request_id
from structbert_lite.telemetry.metrics import Metrics
from structbert_lite.telemetry.tracing import Tracing

log = logging.getLogger("structbert_lite.access")

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
# For answers that say no type of ours: other services' error formats.
TYPES = {
    400: "malformed_json",
    401: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    408: "timed_out",
    413: "payload_too_large",
    415: "unsupported_media_type",
    422: "invalid_input",
    429: "rate_limited",
    500: "internal_error",
    503: "not_ready",
    504: "deadline_exceeded",
}


def observe_requests(app: Flask, metrics: Metrics, tracing: Tracing | None) -> None:
    """Counts, times and logs every request of `app`."""

    def begin(sender: Flask, **_: Any) -> None:
        g.began = time.perf_counter()
        request_id.set("unnamed")  # until the hook that names it; from here on errors are logged without their message
        metrics.in_flight.inc()
        if arrived := request.environ.get("structbert.arrived"):  # of gunicorn's worker (front/worker.py)
            metrics.wait_seconds.observe(max(0.0, time.monotonic() - arrived))
        if tracing and not _is_probe():
            g.span = tracing.begin(_method(), _route(), request.headers)

    def finish(sender: Flask, response: Response, **_: Any) -> None:
        seconds = time.perf_counter() - g.began
        method, route, status, facts = _method(), _route(), response.status_code, g.get("asked", {})
        reason = g.get("error_type") or TYPES.get(status, "other")
        metrics.requests.labels(route, method, status).inc()
        metrics.request_seconds.labels(route).observe(seconds)
        if status >= 400 and not (status == 503 and _is_probe()):
            metrics.refusals.labels(reason).inc()
            facts = facts | {"error": reason}
        elif facts:
            metrics.items.labels(facts["task"]).inc(facts["items"])
        facts = {"method": method, "route": route, "status": status, "duration_ms": round(seconds * 1000, 2)} | facts
        if tracing and "span" in g:
            tracing.describe(g.span, facts)
            facts["trace_id"] = tracing.trace_id(g.span)
        facts["request_id"] = g.get("request_id", "")
        log.log(logging.DEBUG if _is_probe() else logging.INFO, "request", extra={"facts": facts})

    def tear_down(sender: Flask, **_: Any) -> None:
        if "began" in g:  # not for a context without a request, as in a test
            metrics.in_flight.dec()
        if tracing and "span" in g:
            tracing.end(g.span)
        request_id.set("")

    for signal, receive in ((request_started, begin), (request_finished, finish), (request_tearing_down, tear_down)):
        signal.connect(receive, app, weak=False)


def note_ask(task: str, inputs: int) -> None:
    """The engine was asked for this within the request. A page that asks twice has both counted."""
    if g:
        asked = g.get("asked", {"task": task, "items": 0})
        g.asked = asked | {"items": asked["items"] + inputs}


def _is_probe() -> bool:
    return request.blueprint == "ops"


def _method() -> str:
    return request.method if request.method in METHODS else "other"


def _route() -> str:
    # Never the path itself: it is a client's, may hold anything, and there is no end of them.
    return request.url_rule.rule if request.url_rule else "unmatched"
