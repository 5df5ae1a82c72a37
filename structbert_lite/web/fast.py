"""The routes that carry the load, answered past Flask's machinery.

The same types, functions and rules as behind Flask (api.py, middleware.py, access.py, rate_limit.py, errors.py,
request_telemetry.py), called one after the other: the same bytes, status, headers, metrics, log lines and traces at a
fraction of the time. What is unusual about a request is left to Flask, which answers all of them.
"""

from collections.abc import Callable
from functools import lru_cache
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
ALWAYS = (("Content-Type", "application/json"), *ANSWERS.items())

Answer = tuple[int, list[tuple[str, str]], bytes]


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
        self._origins = read_origins(settings.cors_origins)
        # The library's own rule for X-Forwarded-For, which the application has around itself (app.py).
        self._proxies = ProxyFix(lambda environ, _: [environ["REMOTE_ADDR"].encode()], x_for=settings.trusted_proxies)
        self._routes = {route.path: route for route in ROUTES if route.path in PATHS}

    def answer(
        self,
        method: str,
        path: str,
        query: bytes,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
        arrived: float,
        client: str,
        cancelled: Callable[[], bool],
    ) -> Answer | None:
        """(status, headers, body), or None where the request is for Flask.

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
        state = RequestState("POST", path, path, dialect=guess_dialect(path, body))
        self._telemetry.begin(state, given, arrived)
        try:
            status, extra = 200, {}
            try:
                self._admit(state, given, client)
                value = self._ask(route, state, given, body, arrived, cancelled)
            except Exception as error:
                described = describe_error(error)
                extra = described.headers
                status, value = describe_to_client(
                    state, described.status, described.name, described.message, described.field
                )
            data = write_json(value)
            answer_headers = [
                *ALWAYS,
                ("Content-Length", str(len(data))),
                ("X-Request-ID", state.request_id),
                *extra.items(),
                *challenge_headers(status),
                *timing_headers(state),
            ]
            if self._origins:
                answer_headers += sharing_headers(self._origins, given.get("origin"))
            self._telemetry.finish(state, status)
            return status, answer_headers, data
        finally:
            self._telemetry.end(state)

    def _admit(self, state: RequestState, given: dict[str, str], client: str) -> None:
        name_request(state, given.get("x-request-id", ""))
        self._access.check_host(given.get("host"))
        state.api_key = self._access.check_key(given.get("authorization", ""), given.get("x-api-key"))
        if self._limiter:
            self._limiter.take(name_client(state.api_key, self._address(client, given)))

    def _ask(
        self,
        route: Route,
        state: RequestState,
        given: dict[str, str],
        body: bytes,
        arrived: float,
        cancelled: Callable[[], bool],
    ) -> Any:
        parsed = read_object(body)
        detect_dialect(state, parsed)
        validated = route.body.model_validate(parsed)
        context = make_context(given.get(HEADER.lower()), self._timeout_ms, arrived, cancelled)
        return route.answer(validated, ApiRequest(self._engine, context, state.request_id, given.get("user-agent", "")))

    def _address(self, client: str, given: dict[str, str]) -> str:
        environ = {"REMOTE_ADDR": client, "HTTP_X_FORWARDED_FOR": given.get("x-forwarded-for")}
        (address,) = self._proxies(environ, lambda *_: lambda _: None)
        return address.decode()


@lru_cache(64)
def _is_json(content_type: str) -> bool:
    return parse_options_header(content_type)[0].lower() == "application/json"
