"""Around every request: its state, its metrics, its line in the log and, where they are on, its trace.

`RequestTelemetry` knows no web framework; `observe_requests` binds it to Flask's signals. Signals, not hooks: they come
before the first hook and after the last one, whatever a hook answers.
"""

import logging
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request, request_finished, request_started, request_tearing_down
from werkzeug.datastructures import Headers

from structbert_lite.inference.observer import Observer
from structbert_lite.telemetry.logs import request_id
from structbert_lite.telemetry.metrics import Metrics

if TYPE_CHECKING:  # OpenTelemetry is imported only where traces are on
    from structbert_lite.telemetry.traces import Tracing

log = logging.getLogger("structbert_lite.access")

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


@dataclass(slots=True)
class CacheStats:
    """`found` of `inputs` that models were asked for were in the cache: texts, pairs, windows of long documents."""

    inputs: int = 0
    found: int = 0


@dataclass(slots=True)
class RequestState:
    """What is known of one request: what it is, and what has become of it so far."""

    method: str = "other"
    path: str = ""
    route: str = "unmatched"
    is_probe: bool = False
    began: float = field(default_factory=time.perf_counter)
    request_id: str = ""
    api_key: int | None = None  # the number of the key that was accepted; no secret
    dialect: str = ""  # whose client asks, of paths.py; empty until the body has said it
    error_type: str = ""  # of the answer, where it is an error of ours
    task: str = ""
    items: int = 0
    cache: CacheStats = field(default_factory=CacheStats)
    span: Any = None


_state: ContextVar[RequestState | None] = ContextVar("request_state", default=None)


def request_state() -> RequestState:
    """The state of the request that this thread serves; a blank one, of nothing that is measured, outside of one."""
    return _state.get() or (_state_of_flask() if request else RequestState())


def record_inputs(task: str, inputs: int) -> None:
    """The engine was asked for this within the request. A page that asks twice has both counted."""
    if state := _state.get():
        state.task = state.task or task
        state.items += inputs


class LookupObserver(Observer):
    """Adds what the cache had, in the request's own thread, to the request's state."""

    def on_lookup(self, tier: str, hits: int, misses: int) -> None:
        if state := _state.get():
            state.cache.found += hits
            state.cache.inputs += hits + misses if tier == "memory" else 0  # the first tier is asked for all of them


class RequestTelemetry:
    """What is measured and written of a request: `begin`, `finish` once its answer is known, and `end`, always."""

    def __init__(self, metrics: Metrics, tracing: "Tracing | None" = None) -> None:
        self._metrics = metrics
        self._tracing = tracing
        # Series by label: looking them up costs more than counting, and no label takes a value from a client.
        self._requests = cache(metrics.requests.labels)
        self._seconds = cache(metrics.request_seconds.labels)
        self._items = cache(metrics.items.labels)

    def enter(self, state: RequestState) -> None:
        """What is recorded in this thread is this request's, though nothing is counted yet, until `leave` or `end`."""
        _state.set(state)
        request_id.set("unnamed")  # until it is named; from here on errors are logged without their message

    def leave(self) -> None:
        request_id.set("")
        _state.set(None)

    def begin(self, state: RequestState, headers: Mapping[str, str] | Headers, arrived: float | None) -> None:
        """`arrived`: when the whole request was there, an instant of time.monotonic, where the server says it."""
        self.enter(state)
        self._metrics.in_flight.inc()
        if arrived:
            self._metrics.wait_seconds.observe(max(0.0, time.monotonic() - arrived))
        if self._tracing and not state.is_probe:
            state.span = self._tracing.begin(state.method, state.route, headers)

    def finish(self, state: RequestState, status: int) -> None:
        seconds = time.perf_counter() - state.began
        facts = {
            "method": state.method,
            "route": state.route,
            "status": status,
            "duration_ms": round(seconds * 1000, 2),
        }
        if state.task:
            facts |= {"task": state.task, "items": state.items}
        self._requests(state.route, state.method, status).inc()
        self._seconds(state.route).observe(seconds)
        if status >= 400 and not (status == 503 and state.is_probe):
            facts["error"] = state.error_type or "other"
            self._metrics.refusals.labels(facts["error"]).inc()
        elif state.task:
            self._items(state.task).inc(state.items)
        if self._tracing and state.span:
            self._tracing.describe(state.span, facts)
            facts["trace_id"] = self._tracing.trace_id(state.span)
        facts["request_id"] = state.request_id
        level = logging.DEBUG if state.is_probe else logging.INFO
        if log.isEnabledFor(level):  # a record by hand: `log.log` would first look for the line of code that calls it
            record = logging.LogRecord(log.name, level, "", 0, "request", None, None)
            record.facts = facts
            log.handle(record)

    def end(self, state: RequestState) -> None:
        self._metrics.in_flight.dec()
        if self._tracing and state.span:
            self._tracing.end(state.span)
        self.leave()


def _state_of_flask() -> RequestState:
    method = request.method if request.method in METHODS else "other"
    # Never the path itself as the route: it is a client's, may hold anything, and there is no end of them.
    route = request.url_rule.rule if request.url_rule else "unmatched"
    return RequestState(method, request.path, route, request.blueprint == "ops")


def observe_requests(app: Flask, telemetry: RequestTelemetry) -> None:
    """Counts, times and logs every request of `app`."""

    def begin(sender: Flask, **_: Any) -> None:
        telemetry.begin(_state_of_flask(), request.headers, request.environ.get("structbert.arrived"))

    def finish(sender: Flask, response: Response, **_: Any) -> None:
        telemetry.finish(request_state(), response.status_code)

    def tear_down(sender: Flask, **_: Any) -> None:
        if state := _state.get():  # not for a context without a request, as in a test
            telemetry.end(state)

    for signal, receive in ((request_started, begin), (request_finished, finish), (request_tearing_down, tear_down)):
        signal.connect(receive, app, weak=False)
