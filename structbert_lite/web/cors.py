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
    allowed = {origin.strip().lower() for origin in origins.split(",") if origin.strip()}
    if allowed:
        app.after_request(lambda response: _share(response, allowed))


def _share(response: Response, allowed: set[str]) -> Response:
    if ANY not in allowed:
        response.vary.add("Origin")
    if request.origin is None or not allowed & {ANY, request.origin.lower()}:
        return response
    response.access_control_allow_origin = ANY if ANY in allowed else request.origin
    response.access_control_expose_headers = HeaderSet(EXPOSED)
    if request.method == "OPTIONS" and request.access_control_request_method:
        response.access_control_allow_methods = response.allow or HeaderSet(("GET", "POST"))
        # As asked: the official clients add headers of their own, and nothing here gives a header rights.
        response.access_control_allow_headers = request.access_control_request_headers
        response.access_control_max_age = PREFLIGHT_SECONDS
    return response
