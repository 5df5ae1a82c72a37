"""Requests of other services' clients that Flask would not bring to their route, as WSGI middleware."""

from collections.abc import Callable, Iterable
from typing import Any

from structbert_lite.paths import FORMS_AT, SHARED, Dialect

JSON = "application/json"
ROOT, ANY_MODEL = "/", "/tei"
# Bodies at these can be nothing but JSON of another service's client.
THEIRS = {path for path, forms in FORMS_AT.items() if path not in SHARED and forms[0].dialect != Dialect.OURS} | {ROOT}


def route_of(method: str, path: str, content_type: str) -> str:
    """The path that answers a request: JSON to `POST /` is for TEI's clients, a form is the page's."""
    is_json = content_type.partition(";")[0].strip().lower() == JSON
    return ANY_MODEL if method == "POST" and path == ROOT and is_json else path


class JsonRequests:
    """Around the application. Some clients send JSON without a Content-Type; a browser never does without an Origin."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        bare = not environ.get("CONTENT_TYPE") and environ.get("CONTENT_LENGTH", "0") not in {"", "0"}
        if bare and path in THEIRS and not environ.keys() & {"HTTP_ORIGIN", "HTTP_SEC_FETCH_SITE"}:
            environ["CONTENT_TYPE"] = JSON
        environ["PATH_INFO"] = route_of(method, path, environ.get("CONTENT_TYPE", ""))
        return self._app(environ, start_response)
