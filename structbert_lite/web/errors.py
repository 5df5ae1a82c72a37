"""Every error as JSON in the shape that the caller reads, with the right status and never a trace."""

import logging

from flask import Flask, Response, current_app, g
from pydantic import ValidationError
from werkzeug.exceptions import ClientDisconnected, HTTPException, MethodNotAllowed
from werkzeug.wrappers import Response as AnyResponse

from structbert_lite import errors
from structbert_lite.web.compat.errors import error_response
from structbert_lite.web.schemas import describe

log = logging.getLogger(__name__)

# The first class that an error is an instance of decides, so subclasses stand before their bases.
STATUSES: list[tuple[type[errors.StructBertError], int, str]] = [
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
]
HTTP_TYPES = {
    400: "malformed_json",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    415: "unsupported_media_type",
    421: "misdirected_request",
}
MESSAGES = {
    404: "there is no such route",
    405: "this route does not take this method",
    415: "the Content-Type must be application/json",
}
VALIDATION_MESSAGES = {
    "missing": "this field is required",
    "extra_forbidden": "this field is unknown",
    "string_type": "this must be a string",
    "string_too_short": "this must not be empty",
    "list_type": "this must be an array",
    "too_short": "this must not be empty",
    "too_long": "this must be an array of two strings",  # a pair: no other array has such a limit
    "bool_type": "this must be true or false",
    "int_type": "this must be a whole number",
}
RETRY_AFTER = 1  # seconds, where the error itself does not say


def status_of(error: errors.StructBertError) -> tuple[int, str]:
    """(HTTP status, error type) of one of our own errors."""
    return next(((status, name) for kind, status, name in STATUSES if isinstance(error, kind)), (500, "internal_error"))


def register_errors(app: Flask) -> None:
    """Makes every error leave as JSON, ours, the web framework's and those nobody expected."""
    app.register_error_handler(errors.StructBertError, _answer_ours)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_unexpected)


def answer_validation(error: ValidationError) -> Response:
    """422 for the first thing that is wrong with a request."""
    first = error.errors(include_url=False, include_input=False)[0]
    message = VALIDATION_MESSAGES.get(first["type"], first["msg"])
    if first["type"] == "too_short" and first["ctx"]["min_length"] == 2:
        message = VALIDATION_MESSAGES["too_long"]
    return error_response(422, "invalid_input", message, describe(first["loc"]))


def _answer_ours(error: errors.StructBertError) -> Response:
    status, name = status_of(error)
    response = error_response(status, name, str(error), getattr(error, "field", None))
    if status in {429, 503}:
        response.headers["Retry-After"] = str(getattr(error, "retry_after", RETRY_AFTER))
    return response


def _answer_http(error: HTTPException) -> AnyResponse:
    if error.response is not None:  # an answer that was made already, and a redirect
        return error.get_response()
    code = error.code or 500
    message = MESSAGES.get(code, error.description or error.name)
    if isinstance(error, ClientDisconnected):  # also a chunk that is none (front/body.py)
        return error_response(code, "malformed_request", "the body could not be read to its end")
    if code == 413:
        message = f"the body is larger than the limit of {current_app.config['MAX_CONTENT_LENGTH']} bytes"
    response = error_response(code, HTTP_TYPES.get(code, "bad_request" if code < 500 else "internal_error"), message)
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    return response


def _answer_unexpected(error: Exception) -> Response:
    log.exception("request %s failed", g.get("request_id"), exc_info=error)
    return error_response(500, "internal_error", "the server failed on this request; its log says why")
