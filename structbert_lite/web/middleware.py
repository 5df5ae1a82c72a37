"""What happens around every request: an id, the JSON checks, security headers, CORS, Server-Timing.

Each rule is a function of plain values, which Flask's hooks and the fast routes (fast.py) both call.
"""

import os
import re
import time
from typing import Any, NoReturn

from flask import Flask, Request, Response, request
from werkzeug.datastructures import HeaderSet
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from structbert_lite.telemetry.logs import request_id
from structbert_lite.web.request_telemetry import RequestState, request_state
from structbert_lite.web.serialization import read_json

REQUEST_ID = r"[\w.-]{1,128}"
_REQUEST_ID = re.compile(REQUEST_ID, re.ASCII)

# How little a browser has to allow.
ANSWERS = {
    "X-Content-Type-Options": "nosniff",
    # Other sites get nothing into their pages as an image, a script or a frame. Scripts with CORS are not meant by it.
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Pages load what this server holds and nothing else; nothing inline, no frame around them, no plug-in.
CONTENT_SECURITY_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",  # Swagger UI draws its arrows from data: addresses
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
# What a page could ask the user for and never does.
UNUSED = ("camera", "display-capture", "geolocation", "microphone", "midi", "payment", "usb")
PAGES = {
    "Content-Security-Policy": "; ".join(" ".join(rule) for rule in CONTENT_SECURITY_POLICY.items()),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED),
    "Referrer-Policy": "no-referrer",
}

ANY = "*"
# What a script of another site may read of an answer besides its body.
EXPOSED = ("X-Request-ID", "Retry-After")
PREFLIGHT_SECONDS = 600


class JSONRequest(Request):
    """A request that says why its body is not JSON, and that takes no files."""

    def _get_file_stream(self, *args: object, **kwargs: object) -> NoReturn:
        """Werkzeug would write a large file to the disk before any route is asked whether it wants one."""
        raise UnsupportedMediaType("no route takes files")

    def on_json_loading_failed(self, e: ValueError | None) -> NoReturn:
        refuse_json(e)


def register_hooks(app: Flask) -> None:
    """Gives each request its id and each answer its headers."""
    app.request_class = JSONRequest
    app.before_request(lambda: name_request(request_state(), request.headers.get("X-Request-ID", "")))
    app.after_request(_set_headers)


def require_json_object() -> None:
    """Before a JSON route: the body must be a JSON object of the right media type.

    Raises UnsupportedMediaType (415), RequestEntityTooLarge (413) or BadRequest (400).
    """
    if request.method != "POST":
        return
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    check_object(request.get_json())  # parsed once: the view finds it there


def read_object(body: bytes) -> dict[str, Any]:
    """What `require_json_object` takes, read. Raises BadRequest (400)."""
    try:
        value = read_json(body)
    except ValueError as error:
        refuse_json(error)
    return check_object(value)


def check_object(value: Any) -> dict[str, Any]:
    """Raises BadRequest (400) where a body that is JSON is no object."""
    if not isinstance(value, dict):
        raise BadRequest("the body is not a JSON object")
    return value


def refuse_json(error: ValueError | None) -> NoReturn:
    """Raises BadRequest (400) with why a body is not JSON."""
    raise BadRequest(f"the body is not JSON in UTF-8: {error}")


def choose_request_id(given: str) -> str:
    """The id that a request has `given` where that is fit for a log, else a random one."""
    return given if _REQUEST_ID.fullmatch(given) else os.urandom(16).hex()


def name_request(state: RequestState, given: str) -> None:
    """From here on the request has an id, for the answer and for what is logged in this thread."""
    state.request_id = choose_request_id(given)
    request_id.set(state.request_id)


def _set_headers(response: Response) -> Response:
    response.headers["X-Request-ID"] = request_state().request_id
    response.headers.update(ANSWERS)
    if response.mimetype == "text/html":
        response.headers.update(PAGES)
    return response


def enable_cors(app: Flask, origins: str) -> None:
    """Lets scripts of `origins` (`https://example.com`, separated by commas; `*`: every site's) read the answers.

    Never with cookies or with a password that the browser keeps: a script sends the key itself.
    """
    allowed = read_origins(origins)
    if allowed:
        app.after_request(lambda response: _share(response, allowed))


def read_origins(origins: str) -> set[str]:
    """The sites of the setting, in lower case; none where it is empty."""
    return {origin.strip().lower() for origin in origins.split(",") if origin.strip()}


def sharing_headers(allowed: set[str], origin: str | None) -> list[tuple[str, str]]:
    """The headers of an answer to a script of `origin`, None where the request names none."""
    headers = [] if ANY in allowed else [("Vary", "Origin")]
    if origin is not None and allowed & {ANY, origin.lower()}:
        headers.append(("Access-Control-Allow-Origin", ANY if ANY in allowed else origin))
        headers.append(("Access-Control-Expose-Headers", ", ".join(EXPOSED)))
    return headers


def _share(response: Response, allowed: set[str]) -> Response:
    for name, value in sharing_headers(allowed, request.origin):
        if name == "Vary":
            response.vary.add(value)
        else:
            response.headers[name] = value
    if response.access_control_allow_origin is None:
        return response
    if request.method == "OPTIONS" and request.access_control_request_method:
        response.access_control_allow_methods = response.allow or HeaderSet(("GET", "POST"))
        # As asked: the official clients add headers of their own, and nothing here gives a header rights.
        if asked := request.access_control_request_headers:
            response.access_control_allow_headers = asked
        response.access_control_max_age = PREFLIGHT_SECONDS
    return response


def add_server_timing(app: Flask) -> None:
    """Answers that models had a part in get the header Server-Timing: pages and browsers show it."""

    @app.after_request
    def add(response: Response) -> Response:
        response.headers.extend(timing_headers(request_state()))
        return response


def timing_headers(state: RequestState) -> list[tuple[str, str]]:
    """`total;dur=MILLISECONDS, cache;desc="FOUND/INPUTS"`; nothing where no model was asked."""
    if not state.cache.inputs:
        return []
    milliseconds = (time.perf_counter() - state.began) * 1000
    return [
        ("Server-Timing", f'total;dur={milliseconds:.1f}, cache;desc="{state.cache.found}/{state.cache.inputs}"'),
    ]
