"""The routes that carry the load, answered past Flask's machinery.

The same types, functions and rules as behind Flask (api.py, middleware.py, access.py, rate_limit.py, errors.py,
request_telemetry.py), called one after the other: the same bytes, status, headers, metrics, log lines and traces at a
fraction of the time. What is unusual about a request is left to Flask, which answers all of them. A small request whose
answer needs no model is answered in the event loop itself: a thread would cost it more than the answer.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from select import select
from typing import Any

from werkzeug.http import parse_options_header
from werkzeug.middleware.proxy_fix import ProxyFix

from structbert_lite.engine import Engine
from structbert_lite.paths import guess_dialect
from structbert_lite.settings import Settings
from structbert_lite.web.access import AccessRules, challenge_headers
from structbert_lite.web.api import ROUTES
from structbert_lite.web.compat.dialect import detect_dialect
from structbert_lite.web.compat.errors import describe_to_client
from structbert_lite.web.deadline import HEADER, make_context
from structbert_lite.web.errors import describe_error
from structbert_lite.web.middleware import (
    ANSWERS,
    name_request,
    read_object,
    read_origins,
    sharing_headers,
    timing_headers,
)
from structbert_lite.web.rate_limit import RateLimiter, name_client
from structbert_lite.web.request_telemetry import RequestState, RequestTelemetry
from structbert_lite.web.routing import ApiRequest, Route
from structbert_lite.web.serialization import write_json

EXTENSION = "structbert_fast"  # the server finds it there
PATHS = {
    "/predict",
    "/predict_batch",
    "/similarity",
    "/embed",
    "/classify",
    "/rerank",
    "/v1/embeddings",
    "/v1/rerank",
}
FEW_BYTES = 4096  # of a body that is read and answered in an event loop
STDERR = 2  # where the access log goes: a pipe that is full would stop an event loop
ALWAYS = (("Content-Type", "application/json"), *ANSWERS.items())

Answer = tuple[int, list[tuple[str, str]], bytes]


@dataclass(slots=True)
class FastRequest:
    """A request for a fast route. What has been read of its body is not read again."""

    route: Route
    given: dict[str, str]  # headers by name, in lower case
    body: bytes
    arrived: float
    client: str
    cancelled: Callable[[], bool]
    parsed: dict[str, Any] | None = None
    validated: Any = None

    def new_state(self) -> RequestState:
        return RequestState("POST", self.route.path, self.route.path)


class FastRoutes:
    """`answer` may be called by several threads at once, as Flask may."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        telemetry: RequestTelemetry,
        access: AccessRules,
        limiter: RateLimiter | None,
    ) -> None:
        self._engine = engine
        self._timeout_ms = settings.timeout_ms
        self._max_body = settings.max_body_mb << 20
        self._telemetry = telemetry
        self._access = access
        self._limiter = limiter
        self._log = STDERR
        self._origins = read_origins(settings.cors_origins)
        # The library's own rule for X-Forwarded-For, which the application has around itself (app.py).
        self._proxies = ProxyFix(lambda environ, _: [environ["REMOTE_ADDR"].encode()], x_for=settings.trusted_proxies)
        self._routes = {route.path: route for route in ROUTES if route.path in PATHS}

    def read(
        self,
        method: str,
        path: str,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
        arrived: float,
        client: str,
        cancelled: Callable[[], bool],
    ) -> FastRequest | None:
        """None where the request is for Flask.

        `headers` have names in lower case; the `body` is whole; `arrived` is an instant of time.monotonic, `client` the
        address of the other side, and `cancelled()` true once it has gone.
        """
        route = self._routes.get(path) if method == "POST" else None
        if route is None or len(body) > self._max_body:
            return None
        given = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
        if (
            len(given) < len(headers)
            or not _is_json(given.get("content-type", ""))
            or "content-encoding" in given
            or given.get("content-length", str(len(body))) != str(len(body))
        ):
            return None
        return FastRequest(route, given, body, arrived, client, cancelled)

    def answer(self, request: FastRequest) -> Answer:
        """Status, headers and body."""
        state = request.new_state()
        self._telemetry.begin(state, request.given, request.arrived)

        def ask() -> Any:
            self._identify(state, request)
            self._limit(state, request)
            return self._ask(state, request)

        return self._respond(state, request, ask)

    def answer_from_memory(self, request: FastRequest) -> Answer | None:
        """The same for an event loop: it takes no lock that is held for long, and waits for nothing.

        None where that is not enough, or where anything is wrong: then nothing has been counted, and `answer` is to be
        called in a thread.
        """
        is_quick = self._limiter is None or self._limiter.is_local
        if len(request.body) > FEW_BYTES or not is_quick or not select([], [self._log], [], 0)[1]:
            return None
        state, deferred = request.new_state(), list[Callable[[], None]]()
        self._telemetry.enter(state)
        try:
            self._identify(state, request)
            value = self._ask(state, request, deferred)
        except Exception:  # the thread meets it again, and says what it is
            self._telemetry.leave()
            return None
        self._telemetry.begin(state, request.given, time.monotonic())

        def ask() -> Any:
            self._limit(state, request)
            for count in deferred:
                count()
            return value

        return self._respond(state, request, ask)

    def _respond(self, state: RequestState, request: FastRequest, ask: Callable[[], Any]) -> Answer:
        try:
            status, extra = 200, {}
            try:
                value = ask()
            except Exception as error:
                described = describe_error(error)
                extra = described.headers
                state.dialect = state.dialect or guess_dialect(state.path, request.body)
                status, value = describe_to_client(
                    state, described.status, described.name, described.message, described.field
                )
            data = write_json(value)
            headers = [
                *ALWAYS,
                ("Content-Length", str(len(data))),
                ("X-Request-ID", state.request_id),
                *extra.items(),
                *challenge_headers(status),
                *timing_headers(state),
            ]
            if self._origins:
                headers += sharing_headers(self._origins, request.given.get("origin"))
            self._telemetry.finish(state, status)
            return status, headers, data
        finally:
            self._telemetry.end(state)

    def _identify(self, state: RequestState, request: FastRequest) -> None:
        given = request.given
        name_request(state, given.get("x-request-id", ""))
        self._access.check_host(given.get("host"))
        state.api_key = self._access.check_key(given.get("authorization", ""), given.get("x-api-key"))

    def _limit(self, state: RequestState, request: FastRequest) -> None:
        if self._limiter:
            self._limiter.take(name_client(state.api_key, self._address(request.client, request.given)))

    def _ask(self, state: RequestState, request: FastRequest, deferred: list[Callable[[], None]] | None = None) -> Any:
        given, route = request.given, request.route
        if request.parsed is None:
            request.parsed = read_object(request.body)
        detect_dialect(state, request.parsed)
        if request.validated is None:
            request.validated = route.body.model_validate(request.parsed)
        context = make_context(
            given.get(HEADER.lower()), self._timeout_ms, request.arrived, request.cancelled, deferred
        )
        call = ApiRequest(self._engine, context, state.request_id, given.get("user-agent", ""))
        return route.answer(request.validated, call)

    def _address(self, client: str, given: dict[str, str]) -> str:
        environ = {"REMOTE_ADDR": client, "HTTP_X_FORWARDED_FOR": given.get("x-forwarded-for")}
        (address,) = self._proxies(environ, lambda *_: lambda _: None)
        return address.decode()


@lru_cache(64)
def _is_json(content_type: str) -> bool:
    return parse_options_header(content_type)[0].lower() == "application/json"
