"""Every error as JSON in the shape that the caller reads, with the right status and never a trace."""

import dataclasses
import logging

from flask import Flask, Response
from pydantic import ValidationError
from werkzeug import exceptions as http
from werkzeug.wrappers import Response as AnyResponse

from structbert_lite import errors
from structbert_lite.telemetry.logs import request_id
from structbert_lite.web.compat.errors import error_response
from structbert_lite.web.schemas import describe

log = logging.getLogger(__name__)

# Status and type of every error. The first class that one is an instance of decides, so subclasses stand before their
# bases.
STATUSES: list[tuple[type[Exception], int, str]] = [
    (errors.TooManyItems, 413, "payload_too_large"),
    (errors.InvalidInput, 422, "invalid_input"),
    (errors.TaskNotAvailable, 404, "task_not_available"),
    (errors.Unauthorized, 401, "unauthorized"),
    (errors.WorkerHung, 503, "stuck"),
    (errors.NotReady, 503, "not_ready"),
    (errors.RateLimited, 429, "rate_limited"),
    (errors.Overloaded, 503, "overloaded"),
    (errors.DeadlineExceeded, 504, "deadline_exceeded"),
    (errors.ClientDisconnected, 499, "client_left"),  # nobody reads it; logs and counters do
    (errors.InferenceFailed, 500, "inference_failed"),
    (errors.InvalidModel, 500, "model_refused"),
    (ValidationError, 422, "invalid_input"),
    (http.ClientDisconnected, 400, "malformed_request"),  # also a body that ends before its length says
    (http.BadRequest, 400, "malformed_json"),
    (http.NotFound, 404, "not_found"),
    (http.MethodNotAllowed, 405, "method_not_allowed"),
    (http.RequestEntityTooLarge, 413, "payload_too_large"),
    (http.UnsupportedMediaType, 415, "unsupported_media_type"),
    (http.MisdirectedRequest, 421, "misdirected_request"),
]
# What the web framework says in words of its own.
MESSAGES: dict[type[Exception], str] = {
    http.ClientDisconnected: "the body could not be read to its end",
    http.NotFound: "there is no such route",
    http.MethodNotAllowed: "this route does not take this method",
    http.UnsupportedMediaType: "the Content-Type must be application/json",
}
VALIDATION_MESSAGES = {
    "missing": "this field is required",
    "extra_forbidden": "this field is unknown",
    "string_type": "this must be a string",
    "string_too_short": "this must not be empty",
    "list_type": "this must be an array",
    "model_type": "this must be an object",
    "too_short": "this must not be empty",
    "too_long": "this must be an array of two strings",  # a pair: no other array has such a limit
    "bool_type": "this must be true or false",
    "int_type": "this must be a whole number",
}
RETRY_AFTER = 1  # seconds, where the error itself does not say


@dataclasses.dataclass(frozen=True, slots=True)
class ErrorDescription:
    """What an error is to whoever asked, whatever shape their client reads. `field` is the part of theirs at fault."""

    status: int
    name: str
    message: str
    field: str | None = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)


def status_of(error: Exception) -> tuple[int, str]:
    """(HTTP status, error type)."""
    for kind, status, name in STATUSES:
        if isinstance(error, kind):
            return status, name
    status = (error.code if isinstance(error, http.HTTPException) else None) or 500
    return status, "bad_request" if status < 500 else "internal_error"


def describe_error(error: Exception) -> ErrorDescription:
    """One of ours, the web framework's, pydantic's, or one that nobody expected; that one is logged."""
    status, name = status_of(error)
    if isinstance(error, errors.StructBertError):
        return ErrorDescription(status, name, str(error), getattr(error, "field", None), retry_headers(error))
    if isinstance(error, ValidationError):
        return ErrorDescription(status, name, *_first_fault(error))
    if isinstance(error, http.HTTPException):
        allow = (
            {"Allow": ", ".join(sorted(error.valid_methods or ()))} if isinstance(error, http.MethodNotAllowed) else {}
        )
        message = MESSAGES.get(type(error)) or error.description or error.name
        return ErrorDescription(status, name, message, headers=allow)
    log.exception("request %s failed", request_id.get(), exc_info=error)
    return ErrorDescription(status, name, "the server failed on this request; its log says why")


def retry_headers(error: Exception) -> dict[str, str]:
    """When to ask again, for an error that goes away by itself."""
    if status_of(error)[0] not in {429, 503}:
        return {}
    return {"Retry-After": str(getattr(error, "retry_after", RETRY_AFTER))}


def answer_error(error: Exception) -> AnyResponse:
    """Flask's answer to the request at hand for `error`."""
    if isinstance(error, http.HTTPException) and error.response is not None:
        return error.get_response()  # an answer that was made already, and a redirect
    described = describe_error(error)
    response: Response = error_response(described.status, described.name, described.message, described.field)
    response.headers.update(described.headers)
    return response


def register_errors(app: Flask) -> None:
    """Makes every error leave as JSON, ours, the web framework's and those nobody expected."""

    def too_large(error: http.RequestEntityTooLarge) -> AnyResponse:
        error.description = f"the body is larger than the limit of {app.config['MAX_CONTENT_LENGTH']} bytes"
        return answer_error(error)

    app.register_error_handler(http.RequestEntityTooLarge, too_large)
    app.register_error_handler(http.HTTPException, answer_error)
    app.register_error_handler(Exception, answer_error)


def _first_fault(error: ValidationError) -> tuple[str, str]:
    """(message, field) of the first thing that is wrong with a request."""
    first = error.errors(include_url=False, include_input=False)[0]
    message = VALIDATION_MESSAGES.get(first["type"], first["msg"])
    if first["type"] == "too_short" and first["ctx"]["min_length"] == 2:
        message = VALIDATION_MESSAGES["too_long"]
    return message, describe(first["loc"])
