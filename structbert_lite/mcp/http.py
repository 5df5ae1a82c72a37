"""The transport over HTTP: the SDK's, behind the HTTP API's rules for hosts, keys, sites and quotas."""

import math
import signal
import socket
from typing import Any

import click
import uvicorn
from anyio import current_time, fail_after, move_on_after, to_thread
from mcp.server import Server
from mcp.server.transport_security import TransportSecuritySettings
from sse_starlette.sse import AppStatus
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from structbert_lite.api_keys import check_exposure, read_keys
from structbert_lite.errors import ConfigurationError
from structbert_lite.paths import Dialect
from structbert_lite.server.connections import transfer_seconds
from structbert_lite.settings import PREFIX, Settings
from structbert_lite.web.access import AccessRules, challenge_headers
from structbert_lite.web.compat.errors import shape_error
from structbert_lite.web.errors import describe_error
from structbert_lite.web.middleware import ANY, read_origins
from structbert_lite.web.rate_limit import RateLimiter, name_client
from structbert_lite.web.serialization import write_json

PATH = "/mcp"
# What still comes of a body that is too large is read and thrown away for so long: a connection that is closed with
# unread bytes is reset, and then the client may not see the answer (RFC 9112, 9.6).
LINGER_SECONDS = 2.0
CLOSE = {"Connection": "close"}  # of a request whose body is not read to its end


class AccessMiddleware:
    """Lets a request through to `app`, or says why not as the HTTP API does, before anything of its body is read."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        """Raises ConfigurationError where other machines would reach it without a key, and for unusable keys."""
        keys = read_keys(settings)
        check_exposure(settings, keys, [settings.host])
        self._app = app
        self._rules = AccessRules(settings, keys)
        self._origins = read_origins(settings.cors_origins)
        self._most_body = settings.max_body_mb << 20
        self._limiter = (
            RateLimiter(settings.rate_limit, settings.redis_url, settings.redis_timeout_ms)
            if settings.rate_limit
            else None
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif refusal := await self._refuse(scope):
            await refusal(scope, receive, send)
        else:
            await self._pass_whole(scope, receive, send)

    async def _pass_whole(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request through when its body is whole.

        The SDK waits for one without end, at SIGTERM too, and takes a client that leaves meanwhile for a fault.
        """
        body, size, more = bytearray(), int(Headers(scope=scope).get("content-length", "0")), True
        began, app = current_time(), self._app
        try:
            while more and size <= self._most_body:
                with fail_after(began + transfer_seconds(len(body)) - current_time()):
                    message = await receive()
                if message["type"] == "http.disconnect":
                    return
                body += message.get("body", b"")
                size, more = max(size, len(body)), message.get("more_body", False)
        except TimeoutError:
            app = _respond(408, "request_timeout", "the request took too long to come", CLOSE)
        if size > self._most_body:
            large = f"the body is larger than the limit of {self._most_body} bytes"
            app = _respond(413, "payload_too_large", large, CLOSE)
            with move_on_after(LINGER_SECONDS):
                while more:
                    more = (await receive()).get("more_body", False)
        whole: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def replay() -> Message:
            return whole.pop() if whole else await receive()

        await app(scope, replay, send)

    async def _refuse(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        try:
            self._rules.check_host(headers.get("host"))
            key = self._rules.check_key(headers.get("authorization", ""), headers.get("x-api-key"))
            if self._limiter:
                await to_thread.run_sync(self._limiter.take, name_client(key, scope["client"][0]))
        except Exception as error:
            described = describe_error(error)
            return _respond(described.status, described.name, described.message, described.headers)
        # Of a browser, always; of a program, never. The protocol wants it checked.
        origin = headers.get("origin")
        if origin is not None and not self._origins & {ANY, origin.lower()}:
            return _respond(403, "forbidden", f"scripts of this site may not ask; {PREFIX}CORS_ORIGINS names who may")
        if scope["method"] != "POST":  # there are no sessions to end, and nothing to hear without asking
            return _respond(405, "method_not_allowed", "this route does not take this method", {"Allow": "POST"})
        return None


def make_app(server: Server[Any], settings: Settings) -> ASGIApp:
    """The ASGI application, at /mcp, for `settings.host`. Each request stands by itself: no session, nothing to lose.

    Raises ConfigurationError.
    """
    app: ASGIApp = server.streamable_http_app(
        streamable_http_path=PATH,
        stateless_http=True,
        max_request_body_size=settings.max_body_mb << 20,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),  # ours knows the settings
    )
    app = AccessMiddleware(app, settings)
    if origins := read_origins(settings.cors_origins):
        app = CORSMiddleware(app, allow_origins=sorted(origins), allow_methods=["POST"], allow_headers=["*"])
    return app


async def serve_http(server: Server[Any], settings: Settings) -> None:
    """Serves on the host and port of `settings` until SIGTERM or SIGINT; what is under way is answered first.

    Raises ConfigurationError.
    """
    config = uvicorn.Config(
        make_app(server, settings),
        log_config=None,
        access_log=False,  # a line for each call is written where its tool is known
        ws="none",
        lifespan="on",
        proxy_headers=False,
        server_header=False,
        limit_concurrency=settings.max_connections,
        timeout_graceful_shutdown=math.ceil(settings.timeout_ms / 1000),
    )
    AppStatus.disable_automatic_graceful_drain()  # it would cut off at SIGTERM every answer that is a stream
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # uvicorn sends it again once it has ended, to whoever was there before
    with _listen(settings.host, settings.port) as listener:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        click.echo(f"Agents find the tools at http://{host}:{settings.port}{PATH}", err=True)
        await uvicorn.Server(config).serve([listener])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigurationError(f"{host}, port {port}, cannot be listened on: {error.strerror}") from None


def _respond(status: int, name: str, message: str, headers: dict[str, str] | None = None) -> Response:
    status, body = shape_error(Dialect.OURS, status, name, message)
    response = Response(write_json(body), status, headers, "application/json")
    for challenge in challenge_headers(status):
        response.headers.append(*challenge)
    return response
