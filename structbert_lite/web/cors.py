"""Scripts of other sites (CORS): off, unless the settings name the sites."""

from flask import Flask, Response, request
from werkzeug.datastructures import HeaderSet

ANY = "*"
# What a script may read of an answer besides its body.
EXPOSED = ("X-Request-ID", "Retry-After")
PREFLIGHT_SECONDS = 600


def share_with(app: Flask, origins: str) -> None:
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
        response.access_control_allow_headers = request.access_control_request_headers
        response.access_control_max_age = PREFLIGHT_SECONDS
    return response
