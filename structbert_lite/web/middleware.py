"""What happens around every request: an id, the JSON checks, security headers."""

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

from flask import Flask, Request, Response, g, request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from structbert_lite.errors import InvalidInput, TooManyItems
from structbert_lite.telemetry.logs import request_id
from structbert_lite.web.headers import ANSWERS, PAGES

# (task, inputs, **options) -> results: the engine's `predict` with this request's deadline.
Ask = Callable[..., list[Any]]
REQUEST_ID = re.compile(r"[\w.-]{1,128}", re.ASCII)


class JSONRequest(Request):
    """A request that says why its body is not JSON, and that takes no files."""

    def _get_file_stream(self, *args: object, **kwargs: object) -> NoReturn:
        """Werkzeug would write a large file to the disk before any route is asked whether it wants one."""
        raise UnsupportedMediaType("no route takes files")

    def on_json_loading_failed(self, e: ValueError | None) -> None:
        raise BadRequest(f"the body is not JSON in UTF-8: {e}")


def register_hooks(app: Flask) -> None:
    """Gives each request its id and each answer its headers."""
    app.request_class = JSONRequest
    app.before_request(_name_request)
    app.after_request(_set_headers)


def require_json_object() -> None:
    """Before a JSON route: the body must be a JSON object of the right media type.

    Raises UnsupportedMediaType (415), RequestEntityTooLarge (413) or BadRequest (400).
    """
    if request.method != "POST":
        return
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    if not isinstance(request.get_json(), dict):  # parsed once: the view finds it there
        raise BadRequest("the body is not a JSON object")


@contextmanager
def renamed(fields: Mapping[str, str]) -> Iterator[None]:
    """Names fields as this caller wrote them: a route for one text has `text`, where the engine says `texts[0]`."""
    try:
        yield
    except TooManyItems:
        raise
    except InvalidInput as error:
        raise InvalidInput(str(error), fields.get(error.field, error.field)) from None


def _name_request() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
    request_id.set(g.request_id)


def _set_headers(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.get("request_id", "")
    response.headers.update(ANSWERS)
    if response.mimetype == "text/html":
        response.headers.update(PAGES)
    return response
