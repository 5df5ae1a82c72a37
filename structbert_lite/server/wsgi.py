"""One request that is whole, through a WSGI application."""

import io
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_to_bytes

Answer = tuple[int, list[tuple[str, str]], bytes]

# What a request is for (RFC 9112, 3.2): a path, behind a scheme and a host where it is meant for a proxy.
TARGET = re.compile(rb"(?:[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*)?([^?#]*)")
BODILESS = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}


@dataclass(slots=True, eq=False)
class Request:
    """`headers` as they came, names in lower case. `has_left`: whether its client has; any thread may ask.

    `announced`: the length of a body that is larger than allowed, and was not read; else 0. `arrived`: the instant of
    time.monotonic when it was whole.
    """

    scope: dict[str, Any]
    method: str
    path: str
    headers: list[tuple[bytes, bytes]]
    has_left: Callable[[], bool]
    body: bytes = b""
    announced: int = 0
    arrived: float = 0.0

    @property
    def client(self) -> str:
        """Its address; empty where it came by a file."""
        client = self.scope.get("client")
        return str(client[0]) if client else ""


def read_request(scope: dict[str, Any]) -> Request:
    """The request of an ASGI scope, its body not read."""
    found = TARGET.match(scope["raw_path"])
    path = found[1].decode("latin-1") if found else ""
    return Request(scope, scope["method"], path, scope["headers"], scope.get("structbert.has_left", bool))


def call(application: Any, request: Request) -> Answer:
    """Status, headers and the whole body, in the thread that calls it."""
    begun: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        begun[:] = [int(status[:3]), headers]
        return written.append

    written: list[bytes] = []
    result = application(_environ(request), start_response)
    try:
        written.extend(result)
    finally:
        if hasattr(result, "close"):
            result.close()
    status, headers = begun
    body = b"".join(written)
    if (
        request.method != "HEAD"
        and status not in BODILESS
        and not any(n.lower() == "content-length" for n, _ in headers)
    ):
        headers = [*headers, ("Content-Length", str(len(body)))]
    return status, headers, body


def _environ(request: Request) -> dict[str, Any]:
    scope = request.scope
    server = scope.get("server") or ("", "")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].partition(b"#")[0].decode("latin-1"),
        "SERVER_NAME": str(server[0]),
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": request.client,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.input_terminated": True,  # a chunked body has no length, and is there all the same
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "structbert.arrived": request.arrived,
        "structbert.cancelled": request.has_left,
    }
    for name, value in request.headers:
        if name == b"upgrade":
            continue  # nothing here is spoken but HTTP, and the web framework would refuse the request
        key = name.decode("latin-1").upper().replace("-", "_")
        if key not in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
            key = "HTTP_" + key
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    if request.announced:  # the application refuses it by its length
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ["CONTENT_LENGTH"] = str(request.announced)
    prefix = environ.get("HTTP_SCRIPT_NAME", "")  # gunicorn leaves it out unless a proxy that it trusts says it
    if prefix and environ["PATH_INFO"].startswith(prefix):
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = prefix, environ["PATH_INFO"][len(prefix) :]
    return environ
